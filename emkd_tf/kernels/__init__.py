"""The formulas of encoders and objectives made fast: nobody needs to open these modules
to understand a model. Each has its plain twin, and a test that both agree."""
