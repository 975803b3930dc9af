#ifndef AGS_TESTS_HOSTILE_SSHD_H
#define AGS_TESTS_HOSTILE_SSHD_H

#include "ssh/blob.h"
#include "unit/sshd.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

/*
 * An SSH server of our own that can break every rule of RFC 4253, 4252 and 4254. It speaks curve25519-sha256, ssh-ed25519, aes128-ctr and
 * hmac-sha2-256 with one client after the other. A script says how far it is honest, and what it does then:
 *
 *   liar_start(&liar, script) ──► a child: accept ──► script(peer) ──► the client hangs up, or the script returns
 *
 *   peer_greet ─► peer_keys ─► peer_login ─► peer_channel ─► peer_exec         the honest steps, each after those before it
 *
 * A script that says something to a client that has gone ends there.
 */
enum {
	MSG_DISCONNECT = 1, MSG_IGNORE = 2, MSG_UNIMPLEMENTED = 3, MSG_DEBUG = 4, MSG_SERVICE_REQUEST = 5, MSG_SERVICE_ACCEPT = 6, MSG_KEXINIT = 20,
	MSG_NEWKEYS = 21, MSG_ECDH_INIT = 30, MSG_ECDH_REPLY = 31, MSG_AUTH_REQUEST = 50, MSG_AUTH_FAILURE = 51, MSG_AUTH_SUCCESS = 52,
	MSG_AUTH_BANNER = 53, MSG_PK_OK = 60, MSG_GLOBAL_REQUEST = 80, MSG_REQUEST_SUCCESS = 81, MSG_OPEN = 90, MSG_OPEN_CONFIRM = 91,
	MSG_OPEN_FAILURE = 92, MSG_WINDOW_ADJUST = 93, MSG_DATA = 94, MSG_EXTENDED = 95, MSG_EOF = 96, MSG_CLOSE = 97, MSG_REQUEST = 98,
	MSG_CHANNEL_SUCCESS = 99, MSG_CHANNEL_FAILURE = 100
};

#define LIAR_BANNER  "SSH-2.0-liar"
#define LIAR_CHANNEL 42u                  /* our number of the channel */
#define LIAR_LONGEST 262144u              /* payload of a packet */

struct direction {
	EVP_CIPHER_CTX *cipher;           /* NULL before the first keys */
	uint8_t mac_key[32];
	uint32_t sequence;
};

struct peer {
	int fd;
	EVP_PKEY *host_key;
	struct direction in, out;
	struct ags_buf heard;             /* the payload of the last packet */
	struct ags_buf client_kexinit, server_kexinit;
	char client_banner[256];
	uint8_t session_id[32];
	bool has_session_id;
	const char *key_type;             /* of the blob that is shown */
	const char *kex, *cipher, *mac, *host_key_types;        /* of our KEXINIT */
	bool signs_badly, macs_badly;
	uint32_t channel, window;         /* the client's number of it, and what it lets us send */
};

typedef void liar_fn(struct peer *p);

struct liar {
	pid_t pid;
	uint16_t port;
	EVP_PKEY *host_key;
	char known_line[256];             /* for known_hosts */
};

/* --- bytes --------------------------------------------------------------------------------------------------------- */

/* The client has gone, or the test has: nobody minds. */
static inline void peer_end(void)
{
	_exit(0);
}

static inline void peer_must(bool claim, const char *what)
{
	if (claim)
		return;
	fprintf(stderr, "the liar itself failed: %s\n", what);
	_exit(1);
}

static inline void say_raw(struct peer *p, const void *bytes, size_t n)
{
	const uint8_t *at = bytes;

	while (n > 0) {
		ssize_t done = send(p->fd, at, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			peer_end();
		at += done;
		n -= (size_t)done;
	}
}

static inline void hear_raw(struct peer *p, void *bytes, size_t n)
{
	uint8_t *at = bytes;

	while (n > 0) {
		ssize_t done = recv(p->fd, at, n, 0);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			peer_end();
		at += done;
		n -= (size_t)done;
	}
}

/* Says nothing more, and waits for the client to go. What it says is read and thrown away. */
static inline void peer_wait(struct peer *p)
{
	uint8_t sink[4096];

	for (;;)
		hear_raw(p, sink, sizeof(sink));
}

/* --- packets ------------------------------------------------------------------------------------------------------- */

static inline void crypt_bytes(struct direction *d, uint8_t *bytes, size_t n)
{
	int done = 0;

	peer_must(EVP_CipherUpdate(d->cipher, bytes, &done, bytes, (int)n) == 1 && (size_t)done == n, "cipher");
}

static inline void mac_of(const struct direction *d, const uint8_t *packet, size_t n, uint8_t mac[32])
{
	static uint8_t whole[LIAR_LONGEST + 512];
	unsigned len = 32;

	whole[0] = (uint8_t)(d->sequence >> 24);
	whole[1] = (uint8_t)(d->sequence >> 16);
	whole[2] = (uint8_t)(d->sequence >> 8);
	whole[3] = (uint8_t)d->sequence;
	memcpy(whole + 4, packet, n);
	peer_must(HMAC(EVP_sha256(), d->mac_key, 32, whole, n + 4, mac, &len) != NULL, "mac");
}

static inline void put_be32(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)(v >> 24);
	to[1] = (uint8_t)(v >> 16);
	to[2] = (uint8_t)(v >> 8);
	to[3] = (uint8_t)v;
}

/* With another length than the true one, or another padding, when those are not 0. */
static inline void say_wrong(struct peer *p, const void *payload, size_t n, uint32_t length, uint8_t padding)
{
	static uint8_t packet[LIAR_LONGEST + 512];
	size_t block = p->out.cipher != NULL ? 16 : 8, pad = block - (5 + n) % block, len;
	uint8_t mac[32];

	if (pad < 4)
		pad += block;
	len = 5 + n + pad;
	put_be32(packet, length != 0 ? length : (uint32_t)(len - 4));
	packet[4] = padding != 0 ? padding : (uint8_t)pad;
	if (n > 0)
		memcpy(packet + 5, payload, n);
	memset(packet + 5 + n, 0, pad);
	if (p->out.cipher != NULL) {
		mac_of(&p->out, packet, len, mac);
		crypt_bytes(&p->out, packet, len);
		mac[0] = (uint8_t)(mac[0] ^ p->macs_badly);
		memcpy(packet + len, mac, 32);
		len += 32;
	}
	p->out.sequence++;
	say_raw(p, packet, len);
}

static inline void say(struct peer *p, const struct ags_buf *payload)
{
	say_wrong(p, ags_buf_bytes(payload), ags_buf_len(payload), 0, 0);
}

/* Takes the payload: says it, and frees it. */
static inline void say_once(struct peer *p, struct ags_buf *payload)
{
	say(p, payload);
	ags_buf_free(payload);
}

/* The next packet, whatever it is: its type. */
static inline uint8_t hear_any(struct peer *p)
{
	static uint8_t packet[LIAR_LONGEST + 512];
	size_t first = p->in.cipher != NULL ? 16 : 8, len;
	uint8_t mac[32], want[32];

	hear_raw(p, packet, first);
	if (p->in.cipher != NULL)
		crypt_bytes(&p->in, packet, first);
	len = 4 + ((size_t)packet[0] << 24 | (size_t)packet[1] << 16 | (size_t)packet[2] << 8 | packet[3]);
	peer_must(len >= first && len <= LIAR_LONGEST, "the client's packet has a wrong length");
	hear_raw(p, packet + first, len - first);
	if (p->in.cipher != NULL) {
		crypt_bytes(&p->in, packet + first, len - first);
		hear_raw(p, mac, 32);
		mac_of(&p->in, packet, len, want);
		peer_must(memcmp(mac, want, 32) == 0, "the client's packet has a wrong code");
	}
	p->in.sequence++;
	peer_must(packet[4] + 6u <= len, "the client's packet is empty");
	ags_buf_clear(&p->heard);
	ags_buf_add(&p->heard, packet + 5, len - 5 - packet[4]);
	return packet[5];
}

/* The next packet of this type; others are passed over. The cursor is behind the type. */
static inline struct ags_cursor hear(struct peer *p, uint8_t type)
{
	while (hear_any(p) != type)
		continue;
	return (struct ags_cursor){ ags_buf_bytes(&p->heard) + 1, ags_buf_bytes(&p->heard) + ags_buf_len(&p->heard) };
}

static inline void put_text(struct ags_buf *b, const char *text)
{
	ags_buf_string(b, text, strlen(text));
}

static inline struct ags_buf message(uint8_t type)
{
	struct ags_buf b = AGS_BUF_INIT;

	ags_buf_u8(&b, type);
	return b;
}

/* One of the channel's messages: its type and the client's number. */
static inline struct ags_buf channel_message(const struct peer *p, uint8_t type)
{
	struct ags_buf b = message(type);

	ags_buf_be32(&b, p->channel);
	return b;
}

static inline void say_type(struct peer *p, uint8_t type)
{
	struct ags_buf b = message(type);

	say_once(p, &b);
}

static inline void say_channel(struct peer *p, uint8_t type)
{
	struct ags_buf b = channel_message(p, type);

	say_once(p, &b);
}

static inline void say_data(struct peer *p, const void *bytes, size_t n)
{
	struct ags_buf b = channel_message(p, MSG_DATA);

	ags_buf_string(&b, bytes, n);
	say_once(p, &b);
}

static inline void say_text(struct peer *p, const char *text)
{
	say_data(p, text, strlen(text));
}

static inline void say_extended(struct peer *p, uint32_t type, const void *bytes, size_t n)
{
	struct ags_buf b = channel_message(p, MSG_EXTENDED);

	ags_buf_be32(&b, type);
	ags_buf_string(&b, bytes, n);
	say_once(p, &b);
}

static inline void say_exit(struct peer *p, uint32_t status)
{
	struct ags_buf b = channel_message(p, MSG_REQUEST);

	put_text(&b, "exit-status");
	ags_buf_u8(&b, 0);
	ags_buf_be32(&b, status);
	say_once(p, &b);
}

static inline void say_adjust(struct peer *p, uint32_t more)
{
	struct ags_buf b = channel_message(p, MSG_WINDOW_ADJUST);

	ags_buf_be32(&b, more);
	say_once(p, &b);
}

static inline void say_disconnect(struct peer *p, uint32_t reason, const char *why, size_t n)
{
	struct ags_buf b = message(MSG_DISCONNECT);

	ags_buf_be32(&b, reason);
	ags_buf_string(&b, why, n);
	put_text(&b, "");
	say_once(p, &b);
}

/* --- the honest steps ---------------------------------------------------------------------------------------------- */

static inline void peer_greet(struct peer *p)
{
	size_t n = 0;
	char c = 0;

	say_raw(p, LIAR_BANNER "\r\n", strlen(LIAR_BANNER) + 2);
	while (c != '\n' && n < sizeof(p->client_banner) - 1) {
		hear_raw(p, &c, 1);
		if (c != '\r' && c != '\n')
			p->client_banner[n++] = c;
	}
}

static inline void put_kexinit(struct peer *p, struct ags_buf *b)
{
	const char *const lists[] = { p->kex, p->host_key_types, p->cipher, p->cipher, p->mac, p->mac, "none", "none", "", "" };

	ags_buf_clear(b);
	ags_buf_u8(b, MSG_KEXINIT);
	ags_buf_add(b, "0123456789abcdef", 16);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		put_text(b, lists[i]);
	ags_buf_u8(b, 0);
	ags_buf_be32(b, 0);
}

/* Both sides' KEXINIT. */
static inline void peer_propose(struct peer *p)
{
	put_kexinit(p, &p->server_kexinit);
	say(p, &p->server_kexinit);
	hear(p, MSG_KEXINIT);
	ags_buf_clear(&p->client_kexinit);
	ags_buf_add(&p->client_kexinit, ags_buf_bytes(&p->heard), ags_buf_len(&p->heard));
}

static inline void put_host_key(const struct peer *p, struct ags_buf *b)
{
	uint8_t key[32];
	size_t n = sizeof(key);

	peer_must(EVP_PKEY_get_raw_public_key(p->host_key, key, &n) == 1, "host key");
	put_text(b, p->key_type);
	ags_buf_string(b, key, 32);
}

static inline void put_mpint(struct ags_buf *b, const uint8_t *bytes, size_t n)
{
	while (n > 0 && *bytes == 0) {
		bytes++;
		n--;
	}
	ags_buf_be32(b, (uint32_t)n + (n > 0 && bytes[0] >= 0x80));
	if (n > 0 && bytes[0] >= 0x80)
		ags_buf_u8(b, 0);
	ags_buf_add(b, bytes, n);
}

/* The secret as a number, for the hashes; our half of the exchange in `ours`. */
static inline void agree(const uint8_t *theirs, size_t n, uint8_t ours[32], struct ags_buf *secret)
{
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs, n), *own = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	uint8_t shared[32];
	size_t len = 32;

	peer_must(peer != NULL && own != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
	          EVP_PKEY_derive(ctx, shared, &len) == 1, "X25519");
	len = 32;
	EVP_PKEY_get_raw_public_key(own, ours, &len);
	put_mpint(secret, shared, 32);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
}

static inline void sign_hash(const struct peer *p, const uint8_t hash[32], struct ags_buf *reply)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct ags_buf signature = AGS_BUF_INIT;
	uint8_t bytes[64];
	size_t n = sizeof(bytes);

	peer_must(EVP_DigestSignInit(ctx, NULL, NULL, NULL, p->host_key) == 1 && EVP_DigestSign(ctx, bytes, &n, hash, 32) == 1, "signature");
	bytes[5] = (uint8_t)(bytes[5] ^ p->signs_badly);
	put_text(&signature, "ssh-ed25519");
	ags_buf_string(&signature, bytes, 64);
	ags_buf_string(reply, ags_buf_bytes(&signature), ags_buf_len(&signature));
	ags_buf_free(&signature);
	EVP_MD_CTX_free(ctx);
}

static inline void derive(const struct peer *p, const struct ags_buf *secret, const uint8_t hash[32], char letter, uint8_t to[32])
{
	struct ags_buf b = AGS_BUF_INIT;

	ags_buf_add(&b, ags_buf_bytes(secret), ags_buf_len(secret));
	ags_buf_add(&b, hash, 32);
	ags_buf_u8(&b, (uint8_t)letter);
	ags_buf_add(&b, p->session_id, 32);
	SHA256(ags_buf_bytes(&b), ags_buf_len(&b), to);
	ags_buf_free(&b);
}

static inline void set_keys(struct direction *d, const struct peer *p, const struct ags_buf *secret, const uint8_t hash[32], const char *letters)
{
	uint8_t iv[32], key[32];

	derive(p, secret, hash, letters[0], iv);
	derive(p, secret, hash, letters[1], key);
	derive(p, secret, hash, letters[2], d->mac_key);
	EVP_CIPHER_CTX_free(d->cipher);
	d->cipher = EVP_CIPHER_CTX_new();
	peer_must(EVP_EncryptInit_ex(d->cipher, EVP_aes_128_ctr(), NULL, key, iv) == 1, "keys");      /* CTR: both ways are one */
}

/* From the client's half to NEWKEYS of both sides. */
static inline void peer_exchange(struct peer *p)
{
	struct ags_buf all = AGS_BUF_INIT, host_key = AGS_BUF_INIT, secret = AGS_BUF_INIT, reply = message(MSG_ECDH_REPLY);
	struct ags_cursor c = hear(p, MSG_ECDH_INIT);
	const uint8_t *theirs;
	uint8_t ours[32], hash[32];
	size_t n;

	peer_must(ags_get_string(&c, &theirs, &n) && n == 32, "the client's half");
	agree(theirs, n, ours, &secret);
	put_host_key(p, &host_key);
	put_text(&all, p->client_banner);
	put_text(&all, LIAR_BANNER);
	ags_buf_string(&all, ags_buf_bytes(&p->client_kexinit), ags_buf_len(&p->client_kexinit));
	ags_buf_string(&all, ags_buf_bytes(&p->server_kexinit), ags_buf_len(&p->server_kexinit));
	ags_buf_string(&all, ags_buf_bytes(&host_key), ags_buf_len(&host_key));
	ags_buf_string(&all, theirs, n);
	ags_buf_string(&all, ours, 32);
	ags_buf_add(&all, ags_buf_bytes(&secret), ags_buf_len(&secret));
	SHA256(ags_buf_bytes(&all), ags_buf_len(&all), hash);
	if (!p->has_session_id)
		memcpy(p->session_id, hash, 32);
	p->has_session_id = true;
	ags_buf_string(&reply, ags_buf_bytes(&host_key), ags_buf_len(&host_key));
	ags_buf_string(&reply, ours, 32);
	sign_hash(p, hash, &reply);
	say_once(p, &reply);
	say_type(p, MSG_NEWKEYS);
	set_keys(&p->out, p, &secret, hash, "BDF");
	hear(p, MSG_NEWKEYS);
	set_keys(&p->in, p, &secret, hash, "ACE");
	ags_buf_free(&all);
	ags_buf_free(&host_key);
	ags_buf_free(&secret);
}

static inline void peer_keys(struct peer *p)
{
	peer_greet(p);
	peer_propose(p);
	peer_exchange(p);
}

static inline void peer_service(struct peer *p)
{
	struct ags_buf b = message(MSG_SERVICE_ACCEPT);

	peer_keys(p);
	hear(p, MSG_SERVICE_REQUEST);
	put_text(&b, "ssh-userauth");
	say_once(p, &b);
}

/* The next question about a key, or its signature: true for a signature. Another method is refused. */
static inline bool hear_key(struct peer *p)
{
	for (;;) {
		struct ags_cursor c = hear(p, MSG_AUTH_REQUEST);
		struct ags_buf b = message(MSG_AUTH_FAILURE);
		const uint8_t *text;
		uint8_t is_signed;
		size_t n;

		if (ags_get_string(&c, &text, &n) && ags_get_string(&c, &text, &n) && ags_get_string(&c, &text, &n) && n == 9 &&
		    memcmp(text, "publickey", 9) == 0 && ags_get_u8(&c, &is_signed)) {
			ags_buf_free(&b);
			p->heard.start += (size_t)(c.p - ags_buf_bytes(&p->heard));       /* algorithm and key follow */
			return is_signed != 0;
		}
		put_text(&b, "publickey");
		ags_buf_u8(&b, 0);
		say_once(p, &b);
	}
}

static inline void say_key_is_fine(struct peer *p)
{
	struct ags_buf b = message(MSG_PK_OK);

	ags_buf_add(&b, ags_buf_bytes(&p->heard), ags_buf_len(&p->heard));
	say_once(p, &b);
}

static inline void peer_login(struct peer *p)
{
	peer_service(p);
	while (!hear_key(p))
		say_key_is_fine(p);
	say_type(p, MSG_AUTH_SUCCESS);
}

static inline void hear_open(struct peer *p)
{
	struct ags_cursor c = hear(p, MSG_OPEN);
	const uint8_t *type;
	size_t n;

	peer_must(ags_get_string(&c, &type, &n) && ags_get_be32(&c, &p->channel) && ags_get_be32(&c, &p->window), "the client's channel");
}

static inline void say_opened(struct peer *p, uint32_t channel, uint32_t window, uint32_t packet)
{
	struct ags_buf b = message(MSG_OPEN_CONFIRM);

	ags_buf_be32(&b, channel);
	ags_buf_be32(&b, LIAR_CHANNEL);
	ags_buf_be32(&b, window);
	ags_buf_be32(&b, packet);
	say_once(p, &b);
}

static inline void peer_channel(struct peer *p)
{
	peer_login(p);
	hear_open(p);
	say_opened(p, p->channel, 2u << 20, 32768);
}

static inline void peer_exec(struct peer *p)
{
	peer_channel(p);
	hear(p, MSG_REQUEST);
	say_channel(p, MSG_CHANNEL_SUCCESS);
}

/* The end of a command that did what it should. */
static inline void say_end(struct peer *p)
{
	say_exit(p, 0);
	say_channel(p, MSG_EOF);
	say_channel(p, MSG_CLOSE);
}

/* --- the server ---------------------------------------------------------------------------------------------------- */

static inline void liar_serve(const struct liar *liar, int fd, liar_fn *script)
{
	struct peer p = {
		.fd = fd, .host_key = liar->host_key, .key_type = "ssh-ed25519", .kex = "curve25519-sha256", .cipher = "aes128-ctr",
		.mac = "hmac-sha2-256", .host_key_types = "ssh-ed25519",
	};

	alarm(300);
	script(&p);
	shutdown(fd, SHUT_WR);
	peer_wait(&p);
}

/* Each client gets a child of its own. */
static inline bool liar_start(struct liar *liar, liar_fn *script)
{
	int listener = listen_somewhere(&liar->port);
	struct ags_buf blob = AGS_BUF_INIT;
	char base64[128];
	struct peer p = { .key_type = "ssh-ed25519" };

	liar->host_key = p.host_key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (listener < 0 || liar->host_key == NULL)
		return false;
	put_host_key(&p, &blob);
	EVP_EncodeBlock((unsigned char *)base64, ags_buf_bytes(&blob), (int)ags_buf_len(&blob));
	ags_buf_free(&blob);
	snprintf(liar->known_line, sizeof(liar->known_line), "[127.0.0.1]:%u ssh-ed25519 %s\n", liar->port, base64);
	fflush(stdout);
	liar->pid = fork();
	if (liar->pid == 0) {
		alarm(300);
		signal(SIGCHLD, SIG_IGN);
		for (;;) {
			int fd = accept(listener, NULL, NULL);

			if (fd >= 0 && fork() == 0)
				liar_serve(liar, fd, script);
			close(fd);
		}
	}
	close(listener);
	return liar->pid > 0;
}

static inline void liar_stop(struct liar *liar)
{
	kill(liar->pid, SIGKILL);
	waitpid(liar->pid, NULL, 0);
	EVP_PKEY_free(liar->host_key);
	memset(liar, 0, sizeof(*liar));
}

#endif
