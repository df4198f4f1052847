// The part of WebAssembly's C API (wasm.h of the WebAssembly project, which Wasmtime, Wasmer, WAMR and V8 implement) that kinglet.h calls.
// For libraries that come without the header, as the one in the Python package wasmtime does; with the real wasm.h at hand this is not read.
// Whoever creates an object deletes it; vectors filled by a function belong to the caller.
#ifndef KINGLET_WASM_SUBSET_H
#define KINGLET_WASM_SUBSET_H

#include <stddef.h>
#include <stdint.h>

typedef struct wasm_engine_t wasm_engine_t;
typedef struct wasm_store_t wasm_store_t;
typedef struct wasm_module_t wasm_module_t;
typedef struct wasm_instance_t wasm_instance_t;
typedef struct wasm_extern_t wasm_extern_t;
typedef struct wasm_exporttype_t wasm_exporttype_t;
typedef struct wasm_func_t wasm_func_t;
typedef struct wasm_memory_t wasm_memory_t;
typedef struct wasm_trap_t wasm_trap_t;

typedef struct wasm_val_t {
  uint8_t kind;
  union { int32_t i32; int64_t i64; float f32; double f64; void *ref; } of;
} wasm_val_t;
enum { WASM_I32 = 0 };

typedef struct wasm_byte_vec_t { size_t size; char *data; } wasm_byte_vec_t;
typedef struct wasm_val_vec_t { size_t size; wasm_val_t *data; } wasm_val_vec_t;
typedef struct wasm_extern_vec_t { size_t size; wasm_extern_t **data; } wasm_extern_vec_t;
typedef struct wasm_exporttype_vec_t { size_t size; wasm_exporttype_t **data; } wasm_exporttype_vec_t;

wasm_engine_t *wasm_engine_new(void);
void wasm_engine_delete(wasm_engine_t *);
wasm_store_t *wasm_store_new(wasm_engine_t *);
void wasm_store_delete(wasm_store_t *);
wasm_module_t *wasm_module_new(wasm_store_t *, const wasm_byte_vec_t *binary);
void wasm_module_delete(wasm_module_t *);
void wasm_module_exports(const wasm_module_t *, wasm_exporttype_vec_t *out);
const wasm_byte_vec_t *wasm_exporttype_name(const wasm_exporttype_t *);
void wasm_exporttype_vec_delete(wasm_exporttype_vec_t *);
wasm_instance_t *wasm_instance_new(wasm_store_t *, const wasm_module_t *, const wasm_extern_vec_t *imports, wasm_trap_t **);
void wasm_instance_delete(wasm_instance_t *);
void wasm_instance_exports(const wasm_instance_t *, wasm_extern_vec_t *out);
void wasm_extern_vec_delete(wasm_extern_vec_t *);
wasm_func_t *wasm_extern_as_func(wasm_extern_t *);
wasm_memory_t *wasm_extern_as_memory(wasm_extern_t *);
wasm_trap_t *wasm_func_call(const wasm_func_t *, const wasm_val_vec_t *words, wasm_val_vec_t *answers);
void wasm_trap_delete(wasm_trap_t *);
char *wasm_memory_data(wasm_memory_t *);
size_t wasm_memory_data_size(const wasm_memory_t *);

#endif
