"""What TensorBoard shows about a run."""
