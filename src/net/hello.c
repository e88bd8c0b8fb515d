#include "net/hello.h"

#include <string.h>

enum {
	RECORD_HEAD = 5,
	MESSAGE_HEAD = 4,
	HANDSHAKE = 22, /* type of a record */
	CLIENT_HELLO = 1,
	VERSION_AND_RANDOM = 2 + 32,
	SERVER_NAME = 0, /* type of an extension */
	HOST_NAME = 0,
};

/* What is left of a part; `bad` once something was longer than that. */
typedef struct {
	const guint8 *at;
	gsize len;
	gboolean bad;
} Part;

static guint take_number(Part *part, gsize bytes)
{
	guint number = 0;

	if (part->len < bytes) {
		part->bad = TRUE;
		return 0;
	}
	for (gsize i = 0; i < bytes; i++)
		number = number << 8 | part->at[i];
	part->at += bytes;
	part->len -= bytes;
	return number;
}

static Part take_part(Part *from, gsize len)
{
	Part part = { from->at, MIN(len, from->len), len > from->len };

	from->bad |= part.bad;
	from->at += part.len;
	from->len -= part.len;
	return part;
}

/* A part with its length, of so many bytes, before it. */
static Part take_sized(Part *from, gsize bytes)
{
	return take_part(from, take_number(from, bytes));
}

/* ---- the message out of its records ---- */

static SpkHello join(const guint8 *bytes, gsize len, GByteArray *message)
{
	while (len >= RECORD_HEAD) {
		gsize size = (gsize)bytes[3] << 8 | bytes[4], here;

		if (bytes[0] != HANDSHAKE || bytes[1] != 3 || !size)
			return SPK_HELLO_BROKEN;
		here = MIN(size, len - RECORD_HEAD);
		g_byte_array_append(message, bytes + RECORD_HEAD, (guint)here);
		if (message->len && message->data[0] != CLIENT_HELLO)
			return SPK_HELLO_BROKEN;
		if (message->len >= MESSAGE_HEAD) {
			gsize whole = MESSAGE_HEAD + ((gsize)message->data[1] << 16 |
						      (gsize)message->data[2] << 8 |
						      message->data[3]);

			if (whole > SPK_HELLO_MAX)
				return SPK_HELLO_BROKEN;
			if (message->len >= whole) {
				g_byte_array_set_size(message, (guint)whole);
				return SPK_HELLO_NAME;
			}
		}
		bytes += RECORD_HEAD + here;
		len -= RECORD_HEAD + here;
	}
	return SPK_HELLO_MORE;
}

/* ---- the name ---- */

static gboolean is_name(const Part *name)
{
	for (gsize i = 0; i < name->len; i++)
		if (!g_ascii_isgraph(name->at[i]))
			return FALSE;
	return name->len > 0;
}

/* The only one of the list; FALSE: it is broken, or there are more. */
static gboolean take_name(Part extension, char **ret_name)
{
	Part list = take_sized(&extension, 2), name;
	guint type = take_number(&list, 1);

	name = take_sized(&list, 2);
	if (extension.bad || extension.len || list.bad || list.len || type != HOST_NAME ||
	    !is_name(&name) || *ret_name)
		return FALSE;
	if (name.at[name.len - 1] == '.')
		name.len--;
	*ret_name = g_ascii_strdown((const char *)name.at, (gssize)name.len);
	return TRUE;
}

static SpkHello find_name(const GByteArray *message, char **ret_name)
{
	Part hello = { message->data + MESSAGE_HEAD, message->len - MESSAGE_HEAD, FALSE };
	g_autofree char *name = NULL;
	Part extensions;

	(void)take_part(&hello, VERSION_AND_RANDOM);
	(void)take_sized(&hello, 1); /* session */
	(void)take_sized(&hello, 2); /* ciphers */
	(void)take_sized(&hello, 1); /* compressions */
	if (!hello.bad && !hello.len)
		return SPK_HELLO_NO_NAME;
	extensions = take_sized(&hello, 2);
	if (hello.bad || hello.len)
		return SPK_HELLO_BROKEN;
	while (extensions.len && !extensions.bad) {
		guint type = take_number(&extensions, 2);
		Part one = take_sized(&extensions, 2);

		if (type == SERVER_NAME && !extensions.bad && !take_name(one, &name))
			return SPK_HELLO_BROKEN;
	}
	if (extensions.bad)
		return SPK_HELLO_BROKEN;
	*ret_name = g_steal_pointer(&name);
	return *ret_name ? SPK_HELLO_NAME : SPK_HELLO_NO_NAME;
}

SpkHello spk_hello_read(const guint8 *bytes, gsize len, char **ret_name)
{
	g_autoptr(GByteArray) message = g_byte_array_new();
	SpkHello joined;

	*ret_name = NULL;
	if (!len)
		return SPK_HELLO_MORE;
	if (bytes[0] != HANDSHAKE || (len > 1 && bytes[1] != 3))
		return SPK_HELLO_OTHER;
	joined = join(bytes, len, message);
	if (joined == SPK_HELLO_MORE && len > SPK_HELLO_MAX)
		return SPK_HELLO_BROKEN;
	return joined == SPK_HELLO_NAME ? find_name(message, ret_name) : joined;
}
