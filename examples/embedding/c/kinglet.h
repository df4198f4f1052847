// kinglet-embed for C and C++ hosts, over WebAssembly's C API: kinglet_open, then the exports of docs/embedding.md by their numbers below.
// In: the module's bytes. Out: numbers and addresses inside the module; kinglet_at turns those into pointers.
// All of it is in this header; a kinglet belongs to one thread. Must not know files.
#ifndef KINGLET_H
#define KINGLET_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined __has_include && __has_include(<wasm.h>)
#include <wasm.h>
#else
#include "wasm-subset.h"
#endif

// kgl_load's flag, kgl_count's kinds, kgl_preprocess's formats, kgl_stat's figures.
enum { KGL_OWN = 1 };
enum { KGL_INPUTS, KGL_OUTPUTS, KGL_LAYERS };
enum { KGL_GRAY8 = 1, KGL_RGB565, KGL_RGB8, KGL_RGBA8 };
enum { KGL_SIGNED = 1 << 8, KGL_UNIT = 2 << 8, KGL_RAW = 3 << 8, KGL_TORCHVISION = 4 << 8, KGL_BYTES = 5 << 8 };
enum { KGL_STRETCH = 1 << 16, KGL_CROP = 2 << 16, KGL_PAD = 3 << 16 };
enum { KGL_ARENA_BYTES, KGL_WEIGHT_BYTES, KGL_KILO_MACS, KGL_STEPS };
// Failures, as minus these.
enum { KGL_USAGE = 64, KGL_DATA = 65, KGL_RESOURCE = 71 };
// Descriptors.
enum { KGL_F32, KGL_U8, KGL_I8, KGL_I32, KGL_I64 = 5, KGL_BOOL };
enum { KGL_NHWC, KGL_NCHW, KGL_FLAT };

/** What kgl_input and kgl_output give the address of, on a little-endian machine; elsewhere swap each word. */
typedef struct kinglet_tensor {
  uint32_t address, bytes, dtype, rank, dims[8], layout;
  float scale; // 0: the elements are real numbers; else real = scale * (element - zero_point)
  int32_t zero_point;
  uint32_t name_address, name_bytes, reserved[7];
} kinglet_tensor;

/** kgl_topk writes these. */
typedef struct kinglet_score { int32_t index; float score; } kinglet_score;

/** The exports that answer with an i32. */
enum kinglet_export {
  KGL_ABI, KGL_ALLOC, KGL_LOAD, KGL_UNLOAD, KGL_COUNT, KGL_INPUT, KGL_OUTPUT, KGL_RUN, KGL_STEP, KGL_PREPROCESS, KGL_TOPK, KGL_ERROR, KGL_STAT,
  KGL_EXPORTS
};

typedef struct kinglet {
  wasm_engine_t *engine;
  wasm_store_t *store;
  wasm_module_t *module;
  wasm_instance_t *instance;
  wasm_extern_vec_t externs;
  wasm_memory_t *memory;
  wasm_func_t *initialize, *free, *exports[KGL_EXPORTS];
  bool trapped; // true after a trap, which is a bug or an engine's limit: close it
} kinglet;

static inline void kinglet_close(kinglet *k) {
  if (k->externs.data) wasm_extern_vec_delete(&k->externs);
  if (k->instance) wasm_instance_delete(k->instance);
  if (k->module) wasm_module_delete(k->module);
  if (k->store) wasm_store_delete(k->store);
  if (k->engine) wasm_engine_delete(k->engine);
  memset(k, 0, sizeof *k);
}

/** Keeps what a name stands for, if it is one of ours. */
static inline void kinglet_keep(kinglet *k, const wasm_byte_vec_t *name, wasm_extern_t *what) {
  static const char *const names[KGL_EXPORTS] = {
    "kgl_abi", "kgl_alloc", "kgl_load", "kgl_unload", "kgl_count", "kgl_input", "kgl_output", "kgl_run", "kgl_step", "kgl_preprocess", "kgl_topk",
    "kgl_error", "kgl_stat",
  };
#define KINGLET_IS(text) (name->size == strlen(text) && memcmp(name->data, text, name->size) == 0)
  if (KINGLET_IS("memory")) k->memory = wasm_extern_as_memory(what);
  if (KINGLET_IS("_initialize")) k->initialize = wasm_extern_as_func(what);
  if (KINGLET_IS("kgl_free")) k->free = wasm_extern_as_func(what);
  for (int i = 0; i < KGL_EXPORTS; i++) if (KINGLET_IS(names[i])) k->exports[i] = wasm_extern_as_func(what);
#undef KINGLET_IS
}

/** Calls a function of `count` words; its answer, or 0 where it has none. */
static inline uint32_t kinglet_invoke(kinglet *k, const wasm_func_t *function, size_t count, wasm_val_t *words, size_t answers) {
  wasm_val_t answer = { .kind = WASM_I32, .of = { .i32 = 0 } };
  wasm_val_vec_t in = { count, words }, out = { answers, &answer };
  wasm_trap_t *trap = k->trapped ? NULL : wasm_func_call(function, &in, &out);
  if (trap) wasm_trap_delete(trap);
  k->trapped |= trap != NULL;
  return k->trapped ? 0 : (uint32_t)answer.of.i32;
}

/** False: not a module of ABI version 1, or no memory for it. Then there is nothing to close. */
static inline bool kinglet_open(kinglet *k, const void *module, size_t bytes) {
  memset(k, 0, sizeof *k);
  const wasm_byte_vec_t binary = { bytes, (char *)module };
  const wasm_extern_vec_t imports = { 0, NULL };
  wasm_trap_t *trap = NULL;
  if ((k->engine = wasm_engine_new()) && (k->store = wasm_store_new(k->engine)) && (k->module = wasm_module_new(k->store, &binary))) {
    k->instance = wasm_instance_new(k->store, k->module, &imports, &trap);
  }
  if (trap) wasm_trap_delete(trap);
  bool whole = k->instance != NULL;
  if (whole) {
    wasm_exporttype_vec_t types;
    wasm_instance_exports(k->instance, &k->externs);
    wasm_module_exports(k->module, &types);
    for (size_t i = 0; i < types.size && i < k->externs.size; i++) kinglet_keep(k, wasm_exporttype_name(types.data[i]), k->externs.data[i]);
    wasm_exporttype_vec_delete(&types);
    whole = k->memory && k->initialize && k->free;
    for (int i = 0; i < KGL_EXPORTS; i++) whole = whole && k->exports[i];
  }
  if (whole) {
    kinglet_invoke(k, k->initialize, 0, NULL, 0);
    whole = kinglet_invoke(k, k->exports[KGL_ABI], 0, NULL, 1) >> 16 == 1;
  }
  if (!whole) kinglet_close(k);
  return whole;
}

/** Calls an export with `count` words (int or uint32_t). Cast the answer to int32_t where a negative one is a failure. */
static inline uint32_t kinglet_call(kinglet *k, enum kinglet_export which, int count, ...) {
  wasm_val_t words[8];
  va_list list;
  va_start(list, count);
  for (int i = 0; i < count; i++) {
    words[i].kind = WASM_I32;
    words[i].of.i32 = va_arg(list, int32_t);
  }
  va_end(list);
  return kinglet_invoke(k, k->exports[which], (size_t)count, words, 1);
}

static inline void kinglet_free(kinglet *k, uint32_t address) {
  wasm_val_t word = { .kind = WASM_I32, .of = { .i32 = (int32_t)address } };
  kinglet_invoke(k, k->free, 1, &word, 0);
}

/** A pointer to `bytes` bytes in the module, valid until its memory grows; NULL where they are not all inside. */
static inline void *kinglet_at(kinglet *k, uint32_t address, size_t bytes) {
  const size_t size = wasm_memory_data_size(k->memory);
  return address <= size && bytes <= size - address ? wasm_memory_data(k->memory) + address : NULL;
}

#endif
