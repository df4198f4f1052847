// kinglet-embed from C, with any library that implements WebAssembly's C API: classify MODULE.wasm MODEL.kgl INPUT [OUTPUT]
// In: kinglet-embed and a plan, or a bundle and "-"; a picture (binary PPM), or the bytes of input 0 as they are.
// Out: the five best indices of output 0 and their scores, one pair a line; in the file OUTPUT, the bytes of output 0.

#include <stdio.h>
#include <stdlib.h>
#include "kinglet.h"

enum { TOP = 5, SCRATCH_BYTES = 512 };

typedef struct file { char *data; size_t bytes; } file;

static kinglet k;
static uint32_t scratch;

static void end(const char *text, const char *name) {
  fprintf(stderr, "classify: %s%s\n", text, name);
  exit(1);
}

static void end_with_sentence(void) {
  char sentence[SCRATCH_BYTES + 1] = "the module trapped";
  const uint32_t length = kinglet_call(&k, KGL_ERROR, 2, scratch, SCRATCH_BYTES);
  const void *text = kinglet_at(&k, scratch, length);
  if (length > 0 && length <= SCRATCH_BYTES && text) {
    memcpy(sentence, text, length);
    sentence[length] = 0;
  }
  end(sentence, "");
}

static uint32_t number(uint32_t answer) {
  if ((int32_t)answer < 0 || k.trapped) end_with_sentence();
  return answer;
}

static uint32_t address(uint32_t answer) {
  if (answer == 0) end_with_sentence();
  return answer;
}

static file read_file(const char *name) {
  file all = { NULL, 0 };
  FILE *stream = fopen(name, "rb");
  if (!stream) end("cannot read ", name);
  for (size_t have = 0, got = 1; got > 0; all.bytes += got) {
    if (have - all.bytes < 65536) all.data = realloc(all.data, have = 2 * have + 65536);
    if (!all.data) end("no memory for ", name);
    got = fread(all.data + all.bytes, 1, 65536, stream);
  }
  fclose(stream);
  return all;
}

static uint32_t put(const void *data, size_t bytes) {
  if (bytes > UINT32_MAX) end("a file is too large", "");
  const uint32_t to = address(kinglet_call(&k, KGL_ALLOC, 1, (uint32_t)bytes));
  memcpy(kinglet_at(&k, to, bytes), data, bytes);
  return to;
}

static kinglet_tensor tensor(enum kinglet_export which, uint32_t handle) {
  kinglet_tensor copy;
  memcpy(&copy, kinglet_at(&k, address(kinglet_call(&k, which, 2, handle, 0)), sizeof copy), sizeof copy);
  return copy;
}

/** Where the pixels of a PPM begin; 0 where the file is none. */
static size_t picture(file all, uint32_t *width, uint32_t *height) {
  char head[64] = "";
  int at = 0;
  memcpy(head, all.data, all.bytes < sizeof head ? all.bytes : sizeof head - 1);
  if (sscanf(head, "P6 %5u %5u 255%n", width, height, &at) != 2 || at == 0) return 0;
  return all.bytes - ((size_t)at + 1) == (size_t)*width * *height * 3 ? (size_t)at + 1 : 0;
}

static void fill(uint32_t handle, const char *name) {
  const file all = read_file(name);
  const kinglet_tensor input = tensor(KGL_INPUT, handle);
  uint32_t width, height;
  const size_t pixels = picture(all, &width, &height);
  if (pixels > 0) {
    const uint32_t from = put(all.data + pixels, all.bytes - pixels);
    number(kinglet_call(&k, KGL_PREPROCESS, 7, handle, 0, from, width, height, width * 3, KGL_RGB8));
    kinglet_free(&k, from);
  } else if (all.bytes == input.bytes) memcpy(kinglet_at(&k, input.address, input.bytes), all.data, all.bytes);
  else end("neither a PPM picture nor a tensor of the input's length: ", name);
  free(all.data);
}

int main(int count, char **words) {
  if (count != 4 && count != 5) end("usage: MODULE.wasm MODEL.kgl|- INPUT [OUTPUT]", "");
  const file module = read_file(words[1]);
  if (!kinglet_open(&k, module.data, module.bytes)) end("not kinglet-embed: ", words[1]);
  free(module.data);
  scratch = kinglet_call(&k, KGL_ALLOC, 1, SCRATCH_BYTES);

  const file plan = strcmp(words[2], "-") == 0 ? (file){ NULL, 0 } : read_file(words[2]);
  const uint32_t from = plan.bytes > 0 ? put(plan.data, plan.bytes) : 0;
  const uint32_t handle = number(kinglet_call(&k, KGL_LOAD, 3, from, (uint32_t)plan.bytes, KGL_OWN));
  free(plan.data);

  fill(handle, words[3]);
  number(kinglet_call(&k, KGL_RUN, 1, handle));
  const uint32_t found = number(kinglet_call(&k, KGL_TOPK, 4, handle, 0, TOP, scratch));
  const kinglet_score *best = kinglet_at(&k, scratch, found * sizeof *best);
  for (uint32_t i = 0; i < found; i++) printf("%d %.4f\n", best[i].index, best[i].score);
  if (count == 5) {
    const kinglet_tensor output = tensor(KGL_OUTPUT, handle);
    FILE *to = fopen(words[4], "wb");
    if (!to || fwrite(kinglet_at(&k, output.address, output.bytes), 1, output.bytes, to) != output.bytes || fclose(to)) end("cannot write ", words[4]);
  }
  kinglet_close(&k);
  return 0;
}
