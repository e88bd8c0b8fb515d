/*
 * The embedder for graphs of any kind: ONNX Runtime over the .onnx file of a model's folder. The
 * tokenizer is ours; a text is one run, without padding, on one thread.
 */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "memory/embedder_all_priv.h"
#include "memory/file_hash.h"
#include "memory/model_dir.h"
#include "memory/onnx_runtime_priv.h"
#include "memory/wordpiece.h"

enum { INPUTS = 3, OUTPUTS_MAX = 16 };

/* What the graph of a BERT takes; the last one may be missing. */
static const char *const input_names[INPUTS] = { "input_ids", "attention_mask",
						 "token_type_ids" };

typedef struct {
	const SpkOrt *ort;
	OrtEnv *env;
	OrtSession *session;
	OrtMemoryInfo *memory;
	SpkWordpiece *pieces;
	SpkPooling pooling;
	guint max_tokens, n_inputs, dims;
	char *output;	 /* its name */
	gboolean pooled; /* it is one vector a text, not one a token */
} Onnx;

static void onnx_close(gpointer data)
{
	Onnx *self = data;

	if (self->memory)
		self->ort->release_memory(self->memory);
	if (self->session)
		self->ort->release_session(self->session);
	if (self->env)
		self->ort->release_env(self->env);
	spk_wordpiece_free(self->pieces);
	g_free(self->output);
	g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Onnx, onnx_close)

/* TRUE when it worked; takes the status. */
static gboolean worked(const Onnx *self, OrtStatus *status, GError **error)
{
	g_autofree char *clean = NULL, *clipped = NULL;

	if (!status)
		return TRUE;
	clean = spk_text_clean(self->ort->error_message(status), -1, SPK_CLEAN_LINE);
	clipped = spk_text_clip(clean, 300);
	self->ort->release_status(status);
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "try another model: sparks memory model "
		      "install FOLDER|URL",
		      "ONNX Runtime: %s", clipped);
	return FALSE;
}

static gboolean refuse(GError **error, const char *what)
{
	spk_error_set(error, SPK_ERR_BAD_INPUT,
		      "use the graph of a model for embeddings of the BERT family",
		      "the graph %s", what);
	return FALSE;
}

/* ---- the graph ---- */

typedef struct {
	char name[256];
	int type;
	gsize n_dims;
	gint64 last; /* dimension; -1: any */
} Port;

static gboolean read_tensor(const Onnx *self, OrtTypeInfo *type, Port *port,
			    GError **error)
{
	const OrtTensorInfo *info = NULL;
	gint64 dims[8] = { 0 };

	if (!worked(self, self->ort->as_tensor(type, &info), error))
		return FALSE;
	if (!info)
		return refuse(error, "takes or gives something that is no tensor");
	if (!worked(self, self->ort->element_type(info, &port->type), error) ||
	    !worked(self, self->ort->count_dims(info, &port->n_dims), error))
		return FALSE;
	if (port->n_dims < 1 || port->n_dims > G_N_ELEMENTS(dims))
		return TRUE; /* none that is used */
	if (!worked(self, self->ort->get_dims(info, dims, port->n_dims), error))
		return FALSE;
	port->last = dims[port->n_dims - 1];
	return TRUE;
}

static gboolean read_port(const Onnx *self, gboolean output, gsize at, Port *port,
			  GError **error)
{
	const SpkOrt *ort = self->ort;
	OrtAllocator *allocator = NULL;
	OrtTypeInfo *type = NULL;
	char *name = NULL;
	gboolean ok;

	*port = (Port){ .last = -1 };
	if (!worked(self, ort->default_allocator(&allocator), error) ||
	    !worked(self,
		    (output ? ort->output_name : ort->input_name)(self->session, at,
								  allocator, &name),
		    error))
		return FALSE;
	g_strlcpy(port->name, name, sizeof(port->name));
	if (!worked(self, ort->allocator_free(allocator, name), error) ||
	    !worked(self,
		    (output ? ort->output_type : ort->input_type)(self->session, at,
								  &type),
		    error))
		return FALSE;
	ok = read_tensor(self, type, port, error);
	ort->release_type(type);
	return ok;
}

static gboolean check_inputs(Onnx *self, GError **error)
{
	size_t n = 0;

	if (!worked(self, self->ort->count_inputs(self->session, &n), error))
		return FALSE;
	if (n < 2 || n > INPUTS)
		return refuse(error,
			      "takes other inputs than input_ids, attention_mask and "
			      "token_type_ids");
	self->n_inputs = (guint)n;
	for (size_t i = 0; i < n; i++) {
		guint known = 0;
		Port port;

		if (!read_port(self, FALSE, i, &port, error))
			return FALSE;
		while (known < n && strcmp(port.name, input_names[known]) != 0)
			known++;
		if (known == n || port.type != ORT_INT64)
			return refuse(error, "takes other inputs than input_ids, "
					     "attention_mask and token_type_ids");
	}
	return TRUE;
}

/* One vector a text where the graph has that, else those of the tokens, which we pool. */
static gboolean choose_output(Onnx *self, GError **error)
{
	size_t n = 0;

	if (!worked(self, self->ort->count_outputs(self->session, &n), error))
		return FALSE;
	for (size_t i = 0; i < MIN(n, OUTPUTS_MAX); i++) {
		gboolean pooled;
		Port port;

		if (!read_port(self, TRUE, i, &port, error))
			return FALSE;
		pooled = port.n_dims == 2 && !strcmp(port.name, "sentence_embedding");
		if (port.type != ORT_FLOAT || (port.n_dims != 3 && !pooled) ||
		    (self->output && !pooled))
			continue;
		g_free(self->output);
		self->output = g_strdup(port.name);
		self->pooled = pooled;
		self->dims = port.last >= 1 && port.last <= SPK_EMBED_DIMS_MAX
				     ? (guint)port.last
				     : 0;
	}
	return self->output || refuse(error, "gives no vectors of tokens or texts");
}

static gboolean make_session(Onnx *self, const char *path, GError **error)
{
	const SpkOrt *ort = self->ort;
	OrtSessionOptions *options = NULL;
	gboolean ok;

	if (!worked(self, ort->create_env(ORT_LOG_FATAL, "sparks", &self->env), error) ||
	    !worked(self, ort->create_options(&options), error))
		return FALSE;
	ok = worked(self, ort->set_threads(options, 1), error) &&
	     worked(self, ort->set_optimisation(options, ORT_OPTIMISE_ALL), error) &&
	     worked(self, ort->create_session(self->env, path, options, &self->session),
		    error) &&
	     worked(self,
		    ort->create_cpu_memory(ORT_DEVICE_ALLOCATOR, ORT_MEMORY_DEFAULT,
					   &self->memory),
		    error);
	ort->release_options(options);
	return ok;
}

/* ---- a run ---- */

typedef struct {
	const SpkOrt *ort;
	OrtValue *in[INPUTS], *out;
	OrtTensorInfo *info;
	gint64 *values; /* INPUTS × n */
} Run;

static void run_clear(Run *run)
{
	for (guint i = 0; i < INPUTS; i++)
		if (run->in[i])
			run->ort->release_value(run->in[i]);
	if (run->info)
		run->ort->release_tensor_info(run->info);
	if (run->out)
		run->ort->release_value(run->out);
	g_free(run->values);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, run_clear)

static gboolean make_inputs(const Onnx *self, Run *run, const char *text, gsize *ret_n,
			    GError **error)
{
	g_autofree guint32 *ids = g_new(guint32, self->max_tokens);
	gsize n = spk_wordpiece_encode(self->pieces, text, strlen(text), ids,
				       self->max_tokens);
	const gint64 shape[] = { 1, (gint64)n };

	run->values = g_new0(gint64, INPUTS * n);
	for (gsize i = 0; i < n; i++) {
		run->values[i] = ids[i];
		run->values[n + i] = 1;
	}
	for (guint i = 0; i < self->n_inputs; i++)
		if (!worked(self,
			    self->ort->create_tensor(self->memory, run->values + i * n,
						     n * sizeof(gint64), shape, 2,
						     ORT_INT64, &run->in[i]),
			    error))
			return FALSE;
	*ret_n = n;
	return TRUE;
}

/* Rows and columns of what came: [1][rows][columns], or [1][columns]. */
static gboolean read_shape(const Onnx *self, Run *run, gsize n, gsize *ret_dims,
			   GError **error)
{
	gint64 shape[3] = { 0 };
	size_t count = 0, want = self->pooled ? 2 : 3;
	int type = 0;

	if (!worked(self, self->ort->tensor_info(run->out, &run->info), error) ||
	    !worked(self, self->ort->element_type(run->info, &type), error) ||
	    !worked(self, self->ort->count_dims(run->info, &count), error))
		return FALSE;
	if (count != want || type != ORT_FLOAT)
		return refuse(error, "gives vectors of another form than it says");
	if (!worked(self, self->ort->get_dims(run->info, shape, count), error))
		return FALSE;
	if (shape[0] != 1 || (!self->pooled && shape[1] != (gint64)n) ||
	    shape[want - 1] < 1 || shape[want - 1] > SPK_EMBED_DIMS_MAX)
		return refuse(error, "gives vectors of another form than it says");
	*ret_dims = (gsize)shape[want - 1];
	return TRUE;
}

static void pool(const Onnx *self, const float *from, gsize n, gsize dims, float *to)
{
	gsize rows = self->pooled || self->pooling == SPK_POOL_CLS ? 1 : n;

	for (gsize d = 0; d < dims; d++) {
		double sum = 0;

		for (gsize row = 0; row < rows; row++)
			sum += (double)from[row * dims + d];
		to[d] = (float)(sum / (double)rows);
	}
}

static gboolean embed_one(const Onnx *self, const char *text, guint *dims, GArray *ret,
			  GError **error)
{
	g_auto(Run) run = { .ort = self->ort };
	const char *out_name = self->output;
	void *data = NULL;
	gsize n, width;

	if (!make_inputs(self, &run, text, &n, error) ||
	    !worked(self,
		    self->ort->run(self->session, NULL, input_names,
				   (const OrtValue *const *)run.in, self->n_inputs,
				   &out_name, 1, &run.out),
		    error) ||
	    !read_shape(self, &run, n, &width, error) ||
	    !worked(self, self->ort->tensor_data(run.out, &data), error))
		return FALSE;
	if (*dims && width != *dims)
		return refuse(error, "gives vectors of several lengths");
	*dims = (guint)width;
	g_array_set_size(ret, ret->len + (guint)width);
	pool(self, data, n, width, &g_array_index(ret, float, ret->len - width));
	return TRUE;
}

static gboolean onnx_embed(gpointer self, const char *const *texts, gsize n, guint *dims,
			   GArray *ret, SpkCancel *cancel, GError **error)
{
	for (gsize i = 0; i < n; i++)
		if (!spk_cancel_check(cancel, error) ||
		    !embed_one(self, texts[i], dims, ret, error))
			return FALSE;
	return TRUE;
}

/* ---- opening ---- */

/* All that decides about the vectors: the graph and the tokenizer, by their lengths and samples. */
static char *identity_of(const SpkModelDir *model)
{
	GString *all = g_string_new(NULL);
	const char *names[] = { "vocab.txt", "tokenizer.json" };
	g_autofree char *graph = spk_file_sample_hash(model->onnx);

	g_string_append_printf(all, "%s %s %u", graph ? graph : "",
			       spk_pooling_name(model->pooling), model->max_tokens);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(model->dir, names[i], NULL);
		g_autofree char *hash = spk_file_sample_hash(path);

		g_string_append_printf(all, " %s", hash ? hash : "");
	}
	return g_string_free(all, FALSE);
}

static void tell(const Onnx *self, const SpkModelDir *model, SpkEmbedInfo *info)
{
	g_autoptr(GMappedFile) map = g_mapped_file_new(model->onnx, FALSE, NULL);

	info->model = g_strdup(model->name);
	info->identity = identity_of(model);
	info->engine = g_strconcat("ONNX Runtime ", self->ort->version, NULL);
	info->pooling = g_strdup(self->pooled ? "by the graph"
					      : spk_pooling_name(model->pooling));
	info->folder = g_strdup(model->dir);
	info->query_prefix = g_strdup(model->query);
	info->passage_prefix = g_strdup(model->passage);
	info->dims = self->dims;
	info->max_tokens = model->max_tokens;
	info->bytes = map ? g_mapped_file_get_length(map) : 0;
}

static gboolean open_graph(Onnx *self, const SpkModelDir *model, GError **error)
{
	g_autoptr(GArray) vector = g_array_new(FALSE, FALSE, sizeof(float));

	self->pooling = model->pooling;
	self->max_tokens = MAX(model->max_tokens, 2);
	self->pieces = spk_wordpiece_open(model->dir, error);
	if (!self->pieces || !make_session(self, model->onnx, error) ||
	    !check_inputs(self, error) || !choose_output(self, error))
		return FALSE;
	/* a graph that doesn't say how long its vectors are shows it */
	return self->dims || embed_one(self, "a", &self->dims, vector, error);
}

static gpointer onnx_open(const SpkEmbedSetup *setup, SpkEmbedInfo *info, GError **error)
{
	g_auto(SpkModelDir) model = { 0 };
	g_autoptr(Onnx) self = g_new0(Onnx, 1);

	if (!spk_model_dir_read(&model, setup->dir, error))
		return NULL;
	if (!model.onnx) {
		spk_error_set(error, SPK_ERR_NOT_FOUND,
			      "put one there, or set [embedding] provider = \"auto\"",
			      "%s has no .onnx file for ONNX Runtime", setup->dir);
		return NULL;
	}
	self->ort = spk_ort_get(error);
	if (!self->ort)
		return NULL;
	if (!open_graph(self, &model, error)) {
		g_prefix_error(error, "%s: ", model.onnx);
		return NULL;
	}
	tell(self, &model, info);
	return g_steal_pointer(&self);
}

const SpkEmbedImpl spk_embed_onnx = { "onnx", 64, onnx_open, onnx_embed, onnx_close };
