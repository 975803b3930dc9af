#include "ssh/blob.h"
#include "base/digest.h"

static int value_of(char c);

bool ags_get_be32(struct ags_cursor *c, uint32_t *v)
{
	const uint8_t *p;

	if (!ags_get_bytes(c, &p, 4))
		return false;
	*v = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	return true;
}

bool ags_get_string(struct ags_cursor *c, const uint8_t **bytes, size_t *len)
{
	struct ags_cursor at = *c;
	uint32_t n;

	if (!ags_get_be32(&at, &n) || !ags_get_bytes(&at, bytes, n))
		return false;
	*len = n;
	*c = at;
	return true;
}

bool ags_buf_be32(struct ags_buf *b, uint32_t v)
{
	uint8_t bytes[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	return ags_buf_add(b, bytes, 4);
}

bool ags_buf_string(struct ags_buf *b, const void *bytes, size_t len)
{
	return len <= UINT32_MAX && ags_buf_be32(b, (uint32_t)len) && ags_buf_add(b, bytes, len);
}

bool ags_blob_type(const uint8_t *blob, size_t len, char *type, size_t size)
{
	struct ags_cursor c = { blob, blob + len };
	const uint8_t *name;
	size_t n;

	if (!ags_get_string(&c, &name, &n) || n == 0 || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f || name[i] == ',')
			return false;
	memcpy(type, name, n);
	type[n] = '\0';
	return true;
}

long ags_base64_decode(uint8_t *to, const char *text, size_t len)
{
	uint32_t bits = 0;
	unsigned held = 0, padding = 0;
	size_t chars = 0;
	long done = 0;

	for (size_t i = 0; i < len; i++) {
		int v = value_of(text[i]);

		if (text[i] == '\n' || text[i] == '\r' || text[i] == ' ' || text[i] == '\t')
			continue;
		chars++;
		if (text[i] == '=' && ++padding <= 2)
			continue;
		if (v < 0 || padding > 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		held += 6;
		if (held >= 8) {
			held -= 8;
			to[done++] = (uint8_t)(bits >> held);
		}
	}
	return chars % 4 == 0 ? done : -1;
}

void ags_fingerprint(const uint8_t *blob, size_t len, char to[AGS_FINGERPRINT_LEN])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t sum[33] = {0};
	char *p = to + 7;

	ags_sha256(blob, len, sum);
	memcpy(to, "SHA256:", 7);
	for (size_t i = 0; i < 33; i += 3) {
		uint32_t v = (uint32_t)sum[i] << 16 | (uint32_t)sum[i + 1] << 8 | sum[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*p++ = letters[v >> shift & 63];
	}
	p[-1] = '\0';                   /* 32 bytes make 43 letters; the 44th would be padding */
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}
