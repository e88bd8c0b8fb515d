/*
 * ONNX Runtime's C API, as far as it is used here, opened on first use. Its functions are members
 * of one struct, whose first ones never move (onnxruntime_c_api.h: members are only ever added at
 * the end); the numbers are places in it, of version 1 of the API.
 */
#ifndef SPK_MEMORY_ONNX_RUNTIME_PRIV_H
#define SPK_MEMORY_ONNX_RUNTIME_PRIV_H

#include <glib.h>

typedef struct OrtStatus OrtStatus; /* NULL: it worked */
typedef struct OrtEnv OrtEnv;
typedef struct OrtSession OrtSession;
typedef struct OrtSessionOptions OrtSessionOptions;
typedef struct OrtRunOptions OrtRunOptions;
typedef struct OrtValue OrtValue;
typedef struct OrtTypeInfo OrtTypeInfo;
typedef struct OrtTensorInfo OrtTensorInfo;
typedef struct OrtMemoryInfo OrtMemoryInfo;
typedef struct OrtAllocator OrtAllocator;

/* of its enums */
enum { ORT_FLOAT = 1, ORT_INT64 = 7 }; /* ONNXTensorElementDataType */
enum { ORT_LOG_FATAL = 4 };	       /* OrtLoggingLevel */
enum { ORT_OPTIMISE_ALL = 99 };	       /* GraphOptimizationLevel */
enum { ORT_DEVICE_ALLOCATOR = 0 };     /* OrtAllocatorType */
enum { ORT_MEMORY_DEFAULT = 0 };       /* OrtMemType */

/* clang-format off */
/*  place, name, returns, takes */
#define SPK_ORT_FUNCTIONS(X)                                                               \
	X(2, error_message, const char *, (const OrtStatus *))                             \
	X(3, create_env, OrtStatus *, (int level, const char *id, OrtEnv **))              \
	X(7, create_session, OrtStatus *, (const OrtEnv *, const char *path, const OrtSessionOptions *, OrtSession **)) \
	X(9, run, OrtStatus *, (OrtSession *, const OrtRunOptions *, const char *const *in_names, const OrtValue *const *in, size_t n_in, const char *const *out_names, size_t n_out, OrtValue **out)) \
	X(10, create_options, OrtStatus *, (OrtSessionOptions **))                         \
	X(23, set_optimisation, OrtStatus *, (OrtSessionOptions *, int level))             \
	X(24, set_threads, OrtStatus *, (OrtSessionOptions *, int n))                      \
	X(30, count_inputs, OrtStatus *, (const OrtSession *, size_t *))                   \
	X(31, count_outputs, OrtStatus *, (const OrtSession *, size_t *))                  \
	X(33, input_type, OrtStatus *, (const OrtSession *, size_t at, OrtTypeInfo **))    \
	X(34, output_type, OrtStatus *, (const OrtSession *, size_t at, OrtTypeInfo **))   \
	X(36, input_name, OrtStatus *, (const OrtSession *, size_t at, OrtAllocator *, char **)) \
	X(37, output_name, OrtStatus *, (const OrtSession *, size_t at, OrtAllocator *, char **)) \
	X(49, create_tensor, OrtStatus *, (const OrtMemoryInfo *, void *data, size_t bytes, const gint64 *shape, size_t n_shape, int type, OrtValue **)) \
	X(51, tensor_data, OrtStatus *, (OrtValue *, void **))                             \
	X(55, as_tensor, OrtStatus *, (const OrtTypeInfo *, const OrtTensorInfo **))       \
	X(60, element_type, OrtStatus *, (const OrtTensorInfo *, int *))                   \
	X(61, count_dims, OrtStatus *, (const OrtTensorInfo *, size_t *))                  \
	X(62, get_dims, OrtStatus *, (const OrtTensorInfo *, gint64 *, size_t n))          \
	X(65, tensor_info, OrtStatus *, (const OrtValue *, OrtTensorInfo **))              \
	X(69, create_cpu_memory, OrtStatus *, (int allocator, int type, OrtMemoryInfo **)) \
	X(76, allocator_free, OrtStatus *, (OrtAllocator *, void *))                       \
	X(78, default_allocator, OrtStatus *, (OrtAllocator **))                           \
	X(92, release_env, void, (OrtEnv *))                                               \
	X(93, release_status, void, (OrtStatus *))                                         \
	X(94, release_memory, void, (OrtMemoryInfo *))                                     \
	X(95, release_session, void, (OrtSession *))                                       \
	X(96, release_value, void, (OrtValue *))                                           \
	X(98, release_type, void, (OrtTypeInfo *))                                         \
	X(99, release_tensor_info, void, (OrtTensorInfo *))                                \
	X(100, release_options, void, (OrtSessionOptions *))
/* clang-format on */

typedef struct {
#define X(place, name, returns, takes) returns(*name) takes;
	SPK_ORT_FUNCTIONS(X)
#undef X
	char *version; /* "1.32.0" */
} SpkOrt;

/* The table, the same at each call; any thread. The library is ORT_DYLIB_PATH, else the system's;
 * it stays open. NOT_FOUND: there is none; CONFIG: it is none. */
const SpkOrt *spk_ort_get(GError **error);

#endif
