/* Asks an exported model through TensorFlow's C API, the runtime of TensorFlow Serving.

   c_runtime EXPORT REPEATS < questions

   Questions follow each other. Each is a line with its number of outputs, a line
   "operation index" for each, a line with its number of inputs, and for each of these a
   line "operation index rank size size ..." and a line for every text. An answer is a
   line "type rank size size ..." for every output, with a line for every value, and then
   REPEATS lines: the microseconds of as many further runs. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tensorflow/c/c_api.h>

enum { MAX_ENDS = 8, MAX_RANK = 4, MAX_NAME = 256 };

static void fail(const char* what, const char* why) {
  fprintf(stderr, "c_runtime: %s: %s\n", what, why);
  exit(1);
}

static void check(const TF_Status* status, const char* what) {
  if (TF_GetCode(status) != TF_OK) fail(what, TF_Message(status));
}

static int read_number(void) {
  int number;
  if (scanf("%d", &number) != 1) fail("questions", "a number is missing");
  return number;
}

static TF_Output read_end(TF_Graph* graph) {
  char name[MAX_NAME];
  int index;
  if (scanf("%255s %d", name, &index) != 2) fail("questions", "an operation is missing");
  TF_Operation* operation = TF_GraphOperationByName(graph, name);
  if (operation == NULL) fail("no operation", name);
  return (TF_Output){operation, index};
}

static TF_Tensor* read_texts(void) {
  int rank = read_number();
  int64_t sizes[MAX_RANK], count = 1;
  for (int i = 0; i < rank; ++i) count *= sizes[i] = read_number();
  while (getchar() != '\n') {
  }
  TF_Tensor* tensor =
      TF_AllocateTensor(TF_STRING, sizes, rank, count * sizeof(TF_TString));
  TF_TString* texts = TF_TensorData(tensor);
  char* line = NULL;
  size_t room = 0;
  for (int64_t i = 0; i < count; ++i) {
    ssize_t length = getline(&line, &room, stdin);
    if (length < 1) fail("questions", "a text is missing");
    TF_StringInit(&texts[i]);
    TF_StringCopy(&texts[i], line, length - 1);
  }
  free(line);
  return tensor;
}

static void print_tensor(const TF_Tensor* tensor) {
  TF_DataType type = TF_TensorType(tensor);
  printf("%d %d", type, TF_NumDims(tensor));
  for (int i = 0; i < TF_NumDims(tensor); ++i) printf(" %ld", (long)TF_Dim(tensor, i));
  printf("\n");
  const void* data = TF_TensorData(tensor);
  for (int64_t i = 0; i < TF_TensorElementCount(tensor); ++i) {
    if (type == TF_STRING) {
      const TF_TString* text = (const TF_TString*)data + i;
      fwrite(TF_StringGetDataPointer(text), 1, TF_StringGetSize(text), stdout);
      printf("\n");
    } else if (type == TF_FLOAT) {
      printf("%.9g\n", ((const float*)data)[i]);
    } else if (type == TF_INT32) {
      printf("%d\n", ((const int*)data)[i]);
    } else if (type == TF_BOOL) {
      printf("%d\n", ((const unsigned char*)data)[i]);
    } else {
      fail("answer", "of a type that no signature has");
    }
  }
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec * 1e-3;
}

int main(int count, char** arguments) {
  if (count != 3) fail("usage", "c_runtime EXPORT REPEATS < questions");
  int repeats = atoi(arguments[2]);
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  const char* tags[] = {"serve"};
  TF_Session* session = TF_LoadSessionFromSavedModel(options, NULL, arguments[1], tags, 1,
                                                     graph, NULL, status);
  check(status, "load");

  int num_outputs;
  while (scanf("%d", &num_outputs) == 1) {
    TF_Output ends[MAX_ENDS], starts[MAX_ENDS];
    TF_Tensor *inputs[MAX_ENDS], *outputs[MAX_ENDS];
    if (num_outputs > MAX_ENDS) fail("questions", "too many outputs");
    for (int i = 0; i < num_outputs; ++i) ends[i] = read_end(graph);
    int num_inputs = read_number();
    if (num_inputs > MAX_ENDS) fail("questions", "too many inputs");
    for (int i = 0; i < num_inputs; ++i) {
      starts[i] = read_end(graph);
      inputs[i] = read_texts();
    }
    for (int run = 0; run <= repeats; ++run) {
      double began = now();
      TF_SessionRun(session, NULL, starts, inputs, num_inputs, ends, outputs, num_outputs,
                    NULL, 0, NULL, status);
      double micros = now() - began;
      check(status, "run");
      for (int i = 0; i < num_outputs; ++i) {
        if (run == 0) print_tensor(outputs[i]);
        TF_DeleteTensor(outputs[i]);
      }
      if (run > 0) printf("%.1f\n", micros);
    }
    for (int i = 0; i < num_inputs; ++i) TF_DeleteTensor(inputs[i]);
  }
  TF_CloseSession(session, status);
  TF_DeleteSession(session, status);
  TF_DeleteGraph(graph);
  TF_DeleteSessionOptions(options);
  TF_DeleteStatus(status);
  return 0;
}
