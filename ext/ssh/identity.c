#include "ssh/identity.h"
#include "ssh/blob.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE (256u << 10)            /* a key of 16384 bits takes 13 KB */
#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define OPENSSH_END "-----END OPENSSH PRIVATE KEY-----"
#define OPENSSH_MAGIC "openssh-key-v1"

static bool check_file(int fd, const char *file, size_t *size, struct ags_err *err);
static bool read_text(int fd, struct ags_identity *id, size_t size, struct ags_err *err);
static bool examine(struct ags_identity *id, struct ags_err *err);
static bool examine_openssh(struct ags_identity *id, const char *begin, const char *end, struct ags_err *err);
static bool read_openssh_head(struct ags_identity *id, const uint8_t *bytes, size_t len, struct ags_err *err);
static bool examine_pem(struct ags_identity *id, struct ags_err *err);
static void name_pem_type(struct ags_identity *id);
static bool no_key(struct ags_identity *id, struct ags_err *err);

bool ags_identity_load(struct ags_identity *id, const char *file, struct ags_err *err)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t size = 0;
	bool ok;

	memset(id, 0, sizeof(*id));
	if (fd < 0)
		return ags_fail_sys(err, AGS_AUTH, file, "cannot read the key");
	id->file = strdup(file);
	ok = id->file != NULL || ags_fail_nomem(err);
	ok = ok && check_file(fd, file, &size, err) && read_text(fd, id, size, err) && examine(id, err);
	close(fd);
	if (!ok)
		ags_identity_fini(id);
	return ok;
}

bool ags_identity_fail_locked(const char *file, struct ags_err *err)
{
	return ags_fail(err, AGS_AUTH, "the key %s has a passphrase and there is no agent, want a running agent that holds it (ssh-add %s) or a key without a passphrase",
	                file, file);
}

void ags_identity_fini(struct ags_identity *id)
{
	if (id->text != NULL)
		OPENSSL_cleanse(id->text, id->len);
	free(id->text);
	free(id->file);
	free(id->blob);
	memset(id, 0, sizeof(*id));
}

static bool check_file(int fd, const char *file, size_t *size, struct ags_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return ags_fail_sys(err, AGS_AUTH, file, "cannot read the key");
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)MAX_FILE)
		return ags_fail(err, AGS_AUTH, "%s is no key file: want a regular file of at most %u bytes", file, MAX_FILE);
	if (st.st_uid == getuid() && (st.st_mode & 077) != 0)
		return ags_fail(err, AGS_AUTH, "others may read the key %s (mode %04o), want 0600: chmod 600 %s", file,
		                (unsigned)st.st_mode & 07777, file);
	*size = (size_t)st.st_size;
	return true;
}

static bool read_text(int fd, struct ags_identity *id, size_t size, struct ags_err *err)
{
	id->text = calloc(1, size + 1);
	if (id->text == NULL)
		return ags_fail_nomem(err);
	while (id->len < size) {
		ssize_t n = read(fd, id->text + id->len, size - id->len);

		if (n < 0)
			return ags_fail_sys(err, AGS_AUTH, id->file, "cannot read the key");
		if (n == 0)
			break;
		id->len += (size_t)n;
	}
	return true;
}

static bool examine(struct ags_identity *id, struct ags_err *err)
{
	const char *begin = strstr(id->text, OPENSSH_BEGIN), *end;

	if (strlen(id->text) != id->len)               /* a NUL inside */
		return no_key(id, err);
	if (begin == NULL)
		return examine_pem(id, err);
	begin += strlen(OPENSSH_BEGIN);
	end = strstr(begin, OPENSSH_END);
	return end != NULL ? examine_openssh(id, begin, end, err) : no_key(id, err);
}

static bool examine_openssh(struct ags_identity *id, const char *begin, const char *end, struct ags_err *err)
{
	size_t room = (size_t)(end - begin) + 1;
	uint8_t *bytes = malloc(room);
	long len;
	bool ok;

	if (bytes == NULL)
		return ags_fail_nomem(err);
	len = ags_base64_decode(bytes, begin, (size_t)(end - begin));
	ok = len > 0 ? read_openssh_head(id, bytes, (size_t)len, err) : no_key(id, err);
	OPENSSL_cleanse(bytes, room);
	free(bytes);
	return ok;
}

/* The head is in clear even when the key is not: magic, cipher, kdf, its options, number of keys, public key. */
static bool read_openssh_head(struct ags_identity *id, const uint8_t *bytes, size_t len, struct ags_err *err)
{
	struct ags_cursor c = { bytes, bytes + len };
	const uint8_t *magic, *cipher, *kdf, *options, *blob;
	size_t cipher_len, n, blob_len;
	uint32_t keys;

	if (!ags_get_bytes(&c, &magic, sizeof(OPENSSH_MAGIC)) || memcmp(magic, OPENSSH_MAGIC, sizeof(OPENSSH_MAGIC)) != 0 ||
	    !ags_get_string(&c, &cipher, &cipher_len) || !ags_get_string(&c, &kdf, &n) || !ags_get_string(&c, &options, &n) ||
	    !ags_get_be32(&c, &keys) || keys != 1 || !ags_get_string(&c, &blob, &blob_len) ||
	    !ags_blob_type(blob, blob_len, id->type, sizeof(id->type)))
		return no_key(id, err);
	id->is_encrypted = cipher_len != 4 || memcmp(cipher, "none", 4) != 0;
	id->blob = malloc(blob_len);
	if (id->blob == NULL)
		return ags_fail_nomem(err);
	memcpy(id->blob, blob, blob_len);
	id->blob_len = blob_len;
	return true;
}

static bool examine_pem(struct ags_identity *id, struct ags_err *err)
{
	if (strstr(id->text, "-----BEGIN ") == NULL || strstr(id->text, "PRIVATE KEY-----") == NULL)
		return no_key(id, err);
	id->is_encrypted = strstr(id->text, "ENCRYPTED") != NULL;
	if (strstr(id->text, "BEGIN RSA PRIVATE") != NULL)
		snprintf(id->type, sizeof(id->type), "ssh-rsa");
	else if (!id->is_encrypted)
		name_pem_type(id);
	return true;
}

static int no_passphrase(char *to, int size, int writing, void *arg)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static void name_pem_type(struct ags_identity *id)
{
	BIO *bio = BIO_new_mem_buf(id->text, (int)id->len);
	EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		snprintf(id->type, sizeof(id->type), "ssh-rsa");
	EVP_PKEY_free(key);
	BIO_free(bio);
}

static bool no_key(struct ags_identity *id, struct ags_err *err)
{
	ags_fail(err, AGS_AUTH, "%s is no private key, want one made by ssh-keygen", id->file);
	ags_err_set_path(err, id->file);
	return false;
}
