/*
 * The few messages of ONNX (onnx.proto3) that hold weights, read from the mapped file without a
 * library: model.graph, its initialisers, and its nodes. Exporters keep the names of biases and
 * norms but not those of matrices, which they turn and number; a matrix is found as the other
 * factor of the MatMul whose product a named bias is added to.
 */
#include "memory/weights_file_priv.h"

#include <string.h>

/* wire types of protocol buffers */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };
/* numbers of fields */
enum { MODEL_GRAPH = 7 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5 };
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_OP = 4 };
enum {
	TENSOR_DIMS = 1,
	TENSOR_TYPE = 2,
	TENSOR_FLOATS = 4,
	TENSOR_NAME = 8,
	TENSOR_RAW = 9,
	TENSOR_LOCATION = 14
};
enum { TYPE_FLOAT = 1 };

#define NODES_MAX 65536

typedef struct {
	const guchar *at, *end;
} Span;

typedef struct {
	guint number, wire;
	guint64 value; /* of a varint */
	Span bytes;
} Field;

static gboolean read_varint(Span *span, guint64 *ret)
{
	guint64 value = 0;

	for (guint shift = 0; shift < 64 && span->at < span->end; shift += 7) {
		guchar byte = *span->at++;

		value |= (guint64)(byte & 127) << shift;
		if (byte < 128) {
			*ret = value;
			return TRUE;
		}
	}
	return FALSE;
}

static gboolean take(Span *span, guint64 n, Span *ret)
{
	if (n > (guint64)(span->end - span->at))
		return FALSE;
	*ret = (Span){ span->at, span->at + n };
	span->at += n;
	return TRUE;
}

/* The next field of a message; FALSE at its end or, with *broken, where it can't be read. */
static gboolean next_field(Span *span, Field *field, gboolean *broken)
{
	guint64 key = 0, n = 0;
	gboolean ok;

	if (span->at == span->end)
		return FALSE;
	*field = (Field){ 0 };
	ok = read_varint(span, &key) && key >> 3 <= G_MAXUINT32;
	field->number = (guint)(key >> 3);
	field->wire = key & 7;
	switch (ok ? field->wire : 7) {
	case WIRE_VARINT:
		ok = read_varint(span, &field->value);
		break;
	case WIRE_64:
		ok = take(span, 8, &field->bytes);
		break;
	case WIRE_32:
		ok = take(span, 4, &field->bytes);
		break;
	case WIRE_BYTES:
		ok = read_varint(span, &n) && take(span, n, &field->bytes);
		break;
	default:
		ok = FALSE;
	}
	*broken = *broken || !ok;
	return ok;
}

static char *text_of(const Field *field)
{
	return g_strndup((const char *)field->bytes.at,
			 (gsize)(field->bytes.end - field->bytes.at));
}

/* ---- tensors ---- */

typedef struct {
	char *name;
	guint64 dims[2], n_dims, type;
	Span values;
	gboolean elsewhere;
} Tensor;

static void tensor_clear(Tensor *tensor)
{
	g_free(tensor->name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tensor, tensor_clear)

static void add_dim(Tensor *tensor, guint64 dim)
{
	if (tensor->n_dims < 2)
		tensor->dims[tensor->n_dims] = dim;
	tensor->n_dims++;
}

static gboolean read_dims(Tensor *tensor, Field *field)
{
	guint64 dim;

	if (field->wire == WIRE_VARINT) {
		add_dim(tensor, field->value);
		return TRUE;
	}
	while (field->bytes.at < field->bytes.end) {
		if (!read_varint(&field->bytes, &dim))
			return FALSE;
		add_dim(tensor, dim);
	}
	return TRUE;
}

static gboolean read_tensor(Span span, Tensor *tensor)
{
	gboolean broken = FALSE;
	Field field;

	while (next_field(&span, &field, &broken)) {
		switch (field.number) {
		case TENSOR_DIMS:
			broken = broken || !read_dims(tensor, &field);
			break;
		case TENSOR_TYPE:
			tensor->type = field.value;
			break;
		case TENSOR_NAME:
			if (field.wire != WIRE_BYTES)
				return FALSE;
			g_free(tensor->name);
			tensor->name = text_of(&field);
			break;
		case TENSOR_RAW:
		case TENSOR_FLOATS: /* packed: the same bytes */
			if (field.wire == WIRE_BYTES)
				tensor->values = field.bytes;
			break;
		case TENSOR_LOCATION:
			tensor->elsewhere = field.value != 0;
			break;
		default:
			break;
		}
	}
	return !broken;
}

static gboolean add_tensor(Weights *weights, Span span, GError **error)
{
	g_auto(Tensor) tensor = { 0 };
	Weight weight = { .type = WEIGHT_F32 };

	if (!read_tensor(span, &tensor) || !tensor.name)
		return weights_refuse(weights, error, "a tensor of it can't be read");
	if (tensor.type != TYPE_FLOAT || tensor.n_dims < 1 || tensor.n_dims > 2)
		return TRUE; /* positions and shapes */
	if (tensor.elsewhere)
		return weights_refuse(weights, error,
				      "%s lies in a file apart; only models of one file "
				      "can be read",
				      tensor.name);
	weight.rows = tensor.n_dims == 2 ? tensor.dims[0] : 1;
	weight.columns = tensor.dims[tensor.n_dims - 1];
	weight.bytes = (const char *)tensor.values.at;
	return weights_add(weights, tensor.name, &weight,
			   (guint64)(tensor.values.end - tensor.values.at), error);
}

/* ---- nodes ---- */

typedef struct {
	char *op, *inputs[2], *output;
	guint n_inputs;
} Node;

static void node_free(Node *node)
{
	g_free(node->op);
	g_free(node->inputs[0]);
	g_free(node->inputs[1]);
	g_free(node->output);
	g_free(node);
}

static Node *read_node(Span span, gboolean *broken)
{
	Node *node = g_new0(Node, 1);
	Field field;

	while (next_field(&span, &field, broken)) {
		if (field.wire != WIRE_BYTES)
			continue;
		if (field.number == NODE_INPUT && node->n_inputs < 2)
			node->inputs[node->n_inputs++] = text_of(&field);
		else if (field.number == NODE_OUTPUT && !node->output)
			node->output = text_of(&field);
		else if (field.number == NODE_OP && !node->op)
			node->op = text_of(&field);
	}
	return node;
}

static gboolean is_op(const Node *node, const char *op)
{
	return node->op && !strcmp(node->op, op) && node->n_inputs == 2 && node->output;
}

/* "NAME.bias" and the product that it is added to: the product's matrix is "NAME.weight". */
static gboolean name_matrix(Weights *weights, const char *bias, const Node *product,
			    GError **error)
{
	const Weight *matrix =
		product ? g_hash_table_lookup(weights->by_name, product->inputs[1])
			: NULL;
	g_autofree char *name = NULL;
	Weight turned;

	if (!matrix || !g_str_has_suffix(bias, ".bias"))
		return TRUE;
	name = g_strdup_printf("%.*s.weight", (int)(strlen(bias) - strlen(".bias")),
			       bias);
	turned = *matrix;
	turned.rows = matrix->columns;
	turned.columns = matrix->rows;
	turned.turned = TRUE;
	return weights_add(weights, name, &turned, 4 * turned.rows * turned.columns,
			   error);
}

static gboolean name_matrices(Weights *weights, GPtrArray *nodes, GError **error)
{
	g_autoptr(GHashTable) products = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < nodes->len; i++) {
		Node *node = nodes->pdata[i];

		if (is_op(node, "MatMul"))
			g_hash_table_replace(products, node->output, node);
	}
	for (guint i = 0; i < nodes->len; i++) {
		const Node *node = nodes->pdata[i];

		if (!is_op(node, "Add"))
			continue;
		for (guint side = 0; side < 2; side++)
			if (!name_matrix(weights, node->inputs[side],
					 g_hash_table_lookup(products,
							     node->inputs[!side]),
					 error))
				return FALSE;
	}
	return TRUE;
}

static gboolean read_graph(Weights *weights, Span span, GPtrArray *nodes, GError **error)
{
	gboolean broken = FALSE;
	Field field;

	while (next_field(&span, &field, &broken)) {
		if (field.number == GRAPH_INITIALIZER &&
		    !add_tensor(weights, field.bytes, error))
			return FALSE;
		if (field.number == GRAPH_NODE && nodes->len < NODES_MAX)
			g_ptr_array_add(nodes, read_node(field.bytes, &broken));
	}
	return !broken || weights_refuse(weights, error, "its graph can't be read");
}

gboolean weights_read_onnx(Weights *weights, GError **error)
{
	const guchar *start = (const guchar *)weights->start;
	Span span = { start, start + weights->size };
	g_autoptr(GPtrArray)
		nodes = g_ptr_array_new_with_free_func((GDestroyNotify)node_free);
	gboolean broken = FALSE;
	Field field;

	while (next_field(&span, &field, &broken))
		if (field.number == MODEL_GRAPH && field.wire == WIRE_BYTES &&
		    !read_graph(weights, field.bytes, nodes, error))
			return FALSE;
	if (broken || !nodes->len)
		return weights_refuse(weights, error,
				      "it is no model file (.safetensors or .onnx), or "
				      "only the beginning of one");
	return name_matrices(weights, nodes, error);
}
