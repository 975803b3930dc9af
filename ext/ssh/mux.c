#include "ssh/mux.h"
#include "ssh/blob.h"

enum {
	MSG_HELLO = 0x00000001, C_NEW_SESSION = 0x10000002,
	S_PERMISSION_DENIED = 0x80000002u, S_FAILURE = 0x80000003u, S_EXIT_MESSAGE = 0x80000004u, S_SESSION_OPENED = 0x80000006u,
};

#define NO_ESCAPE 0xffffffffu

static void read_body(struct ags_cursor *c, uint32_t type, struct ags_mux_message *message, bool *is_broken);

bool ags_mux_ask(struct ags_buf *to, const char *command, size_t len)
{
	/* kind, request, reserved, tty, X11, agent, subsystem, escape, terminal, command */
	uint32_t size = 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + (uint32_t)len;

	return ags_buf_be32(to, 8) && ags_buf_be32(to, MSG_HELLO) && ags_buf_be32(to, AGS_MUX_VERSION) &&
	       ags_buf_be32(to, size) && ags_buf_be32(to, C_NEW_SESSION) && ags_buf_be32(to, 0) && ags_buf_string(to, "", 0) &&
	       ags_buf_be32(to, 0) && ags_buf_be32(to, 0) && ags_buf_be32(to, 0) && ags_buf_be32(to, 0) &&
	       ags_buf_be32(to, NO_ESCAPE) && ags_buf_string(to, "", 0) && ags_buf_string(to, command, len);
}

bool ags_mux_read(struct ags_cursor *in, struct ags_mux_message *message, bool *is_broken)
{
	struct ags_cursor c = *in, body;
	uint32_t size, type;
	const uint8_t *bytes;

	*is_broken = false;
	if (!ags_get_be32(&c, &size))
		return false;
	*is_broken = size < 4 || size > AGS_MUX_LONGEST;
	if (*is_broken || !ags_get_bytes(&c, &bytes, size))
		return false;
	body = (struct ags_cursor){ bytes, bytes + size };
	*message = (struct ags_mux_message){ .kind = AGS_MUX_OTHER };
	if (ags_get_be32(&body, &type))
		read_body(&body, type, message, is_broken);
	if (*is_broken)
		return false;
	*in = c;
	return true;
}

static void read_body(struct ags_cursor *c, uint32_t type, struct ags_mux_message *message, bool *is_broken)
{
	uint32_t id;

	switch (type) {
	case MSG_HELLO:
		message->kind = AGS_MUX_HELLO;
		*is_broken = !ags_get_be32(c, &message->number);
		break;
	case S_SESSION_OPENED:
		message->kind = AGS_MUX_OPENED;
		break;
	case S_PERMISSION_DENIED:
	case S_FAILURE:
		message->kind = AGS_MUX_REFUSED;
		*is_broken = !ags_get_be32(c, &id) || !ags_get_string(c, &message->why, &message->why_len);
		break;
	case S_EXIT_MESSAGE:
		message->kind = AGS_MUX_EXIT;
		*is_broken = !ags_get_be32(c, &id) || !ags_get_be32(c, &message->number);
		break;
	default:
		break;
	}
}
