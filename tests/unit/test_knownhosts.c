#include "unit/check.h"

#include "ssh/blob.h"
#include "ssh/knownhosts.h"

#include <stdarg.h>
#include <stdbool.h>
#include <unistd.h>

/* Real keys, so that ssh-keygen reads the files too. */
#define ED1 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKJSdpiFKu7fxJp0VeGslD0O8Kh0c0zjeXcvcFfCow6i"
#define ED2 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOJx8ppH3G0z+m5t9bDOhO/Lb9vCHv2VHZDyb0pehk2Q"
#define EC1 "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBBjGcbFF5nAkCzfj2MuwUTSOb9cwD9OtEumSWQn5UulUO5BmVyYZ7UX6kJPjhRevbaqy0MTkAKXnNUCIqbJjT+I="
#define FINGERPRINT_ED1 "SHA256:d0+fqtRo/nV05eWdGyJD+65uvfJieTLWrzJJRA3f7ZE"
/* HMAC-SHA1 of the name, keyed with the salt "12345678901234567890" */
#define HASH_WEB1 "YXaQn9gUTrIwAOH4A62qaGyQhCY="
#define HASH_WEB1_2222 "hI+ODwLMOFovRPVRFMAKHSgeALI="

static struct ags_known_hosts *parse(const char *text)
{
	struct ags_err err = AGS_ERR_INIT;
	struct ags_known_hosts *known = ags_known_hosts_parse(text, strlen(text), &err);

	CHECK(known != NULL);
	return known;
}

static enum ags_host_key check(const char *text, const char *host, uint16_t port, const char *key)
{
	struct ags_known_hosts *known = parse(text);
	const char *base64 = strchr(key, ' ') + 1;
	uint8_t blob[512];
	long len = ags_base64_decode(blob, base64, strlen(base64));
	enum ags_host_key result;

	CHECK(len > 0);
	result = ags_known_hosts_check(known, host, port, blob, (size_t)len);
	ags_known_hosts_free(known);
	return result;
}

static void test_a_plain_line_names_its_host(void)
{
	CHECK_INT(check("web1 " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("web1 " ED1, "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("web1 " ED1 " a comment\n", "WEB1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("Web1 " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("web1 " ED1 "\n", "web2", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("web1 " ED1 "\n", "web1", 22, ED2), AGS_HOST_KEY_CHANGED);
	CHECK_INT(check("", "web1", 22, ED2), AGS_HOST_KEY_UNKNOWN);
}

static void test_several_names_and_keys(void)
{
	CHECK_INT(check("web1,10.0.0.1 " ED1 "\n", "10.0.0.1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("web1 " ED1 "\nweb1 " ED2 "\n", "web1", 22, ED2), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("web1 " ED1 "\nweb1 " EC1 "\n", "web1", 22, ED2), AGS_HOST_KEY_CHANGED);
}

static void test_another_type_of_key_is_a_change(void)
{
	CHECK_INT(check("web1 " EC1 "\n", "web1", 22, ED1), AGS_HOST_KEY_CHANGED);
}

static void test_a_port_other_than_22_is_in_brackets(void)
{
	CHECK_INT(check("[web1]:2222 " ED1 "\n", "web1", 2222, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("[web1]:2222 " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("[web1]:2222 " ED1 "\n", "web1", 2223, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("web1 " ED1 "\n", "web1", 2222, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("[fe80::1]:2222 " ED1 "\n", "fe80::1", 2222, ED1), AGS_HOST_KEY_KNOWN);
}

static void test_wildcards_and_negation(void)
{
	CHECK_INT(check("*.example.com " ED1 "\n", "a.example.com", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("*.example.com " ED1 "\n", "example.com", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("web? " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("web? " ED1 "\n", "web", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("* " ED1 "\n", "web1", 2222, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("*,!web1 " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("!web1,* " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("*,!web1 " ED1 "\n", "web2", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("!web1 " ED1 "\n", "web2", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("*a*b*c* " ED1 "\n", "xxaxxbxxcxx", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("*a*b*c " ED1 "\n", "xxaxxbxxcxx", 22, ED1), AGS_HOST_KEY_UNKNOWN);
}

static void test_a_pattern_of_many_stars_is_no_trap(void)
{
	char text[1024] = "", host[512];

	for (int i = 0; i < 100; i++)
		strcat(text, "*a");
	strcat(text, "b " ED1 "\n");
	memset(host, 'a', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	CHECK_INT(check(text, host, 22, ED1), AGS_HOST_KEY_UNKNOWN);
}

static void test_hashed_names(void)
{
	static const char web1[] = "|1|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=|" HASH_WEB1 " " ED1 "\n";
	static const char web1_2222[] = "|1|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=|" HASH_WEB1_2222 " " ED1 "\n";

	CHECK_INT(check(web1, "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check(web1, "WEB1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check(web1, "web1", 22, ED2), AGS_HOST_KEY_CHANGED);
	CHECK_INT(check(web1, "web2", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check(web1, "web1", 2222, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check(web1_2222, "web1", 2222, ED1), AGS_HOST_KEY_KNOWN);
}

static void test_a_revoked_key_is_refused_wherever_the_line_stands(void)
{
	CHECK_INT(check("web1 " ED1 "\n@revoked * " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_REVOKED);
	CHECK_INT(check("@revoked web1 " ED1 "\nweb1 " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_REVOKED);
	CHECK_INT(check("@revoked web1 " ED1 "\nweb1 " ED2 "\n", "web1", 22, ED2), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("@revoked web1 " ED1 "\n", "web1", 22, ED2), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("@revoked web2 " ED1 "\nweb1 " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
}

static void test_certificate_authorities_are_passed_over(void)
{
	CHECK_INT(check("@cert-authority * " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_UNKNOWN);
	CHECK_INT(check("@cert-authority * " ED1 "\nweb1 " ED2 "\n", "web1", 22, ED2), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("@unheard-of * " ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_UNKNOWN);
}

static void test_a_bad_line_costs_that_line_only(void)
{
	static const char *const bad[] = {
		"garbage", "web1", "web1 ssh-ed25519", "web1 ssh-ed25519 !!!!", "web1 ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIEZT", "# web1 " ED2,
		"|1|short|AAAA " ED2, "|1|nobar " ED2, "|2|MTIz|MTIz " ED2, "web1 1024 35 1234567890", "", "   ", "\t", "@revoked", "@revoked web1",
		"web1 ssh-ed25519 AAAA", "web1 ssh-ed25519 A", "\x01\x02\xff", "web1 ssh-ed25519x AAAAC3NzaC1lZDI1NTE5AAAAIKJSdpiFKu7fxJp0VeGslD0O8Kh0c0zjeXcvcFfCow6i"
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char text[1024];

		snprintf(text, sizeof(text), "%s\nweb1 " ED1 "\n", bad[i]);
		CHECK_INT(check(text, "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
		CHECK_INT(check(text, "web1", 22, ED2), AGS_HOST_KEY_CHANGED);
		CHECK_INT(check(text, "web2", 22, ED2), AGS_HOST_KEY_UNKNOWN);
	}
}

static void test_lines_may_end_as_on_windows(void)
{
	CHECK_INT(check("web1 " ED1 "\r\nweb2 " ED2 " comment\r\n", "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("web1 " ED1 "\r\nweb2 " ED2 " comment\r\n", "web2", 22, ED2), AGS_HOST_KEY_KNOWN);
	CHECK_INT(check("  web1\t" ED1 "\n", "web1", 22, ED1), AGS_HOST_KEY_KNOWN);
}

static void test_types_come_in_order_and_once(void)
{
	struct ags_known_hosts *known = parse("web1 " EC1 "\nweb1 " ED1 "\nweb1 " ED2 "\n@revoked web1 " ED2 "\nweb2 " ED1 "\n");
	const char *types[4];

	CHECK_INT(ags_known_hosts_types(known, "web1", 22, types, 4), 2);
	CHECK_STR(types[0], "ecdsa-sha2-nistp256");
	CHECK_STR(types[1], "ssh-ed25519");
	CHECK_INT(ags_known_hosts_types(known, "web1", 22, types, 1), 1);
	CHECK_INT(ags_known_hosts_types(known, "web2", 22, types, 4), 1);
	CHECK_INT(ags_known_hosts_types(known, "web3", 22, types, 4), 0);
	ags_known_hosts_free(known);
}

static void test_files(void)
{
	struct ags_err err = AGS_ERR_INIT;
	const char *types[4];
	struct ags_known_hosts *known = ags_known_hosts_load("/nonexistent/known_hosts", &err);

	CHECK(known != NULL && ags_known_hosts_types(known, "web1", 22, types, 4) == 0);
	ags_known_hosts_free(known);
	known = ags_known_hosts_load("/dev/null", &err);
	CHECK(known != NULL);
	ags_known_hosts_free(known);
	CHECK_INT(err.code, AGS_OK);
	CHECK(ags_known_hosts_load("/", &err) == NULL);
	CHECK(err.code != AGS_OK);
	ags_known_hosts_free(NULL);
}

static void test_a_host_name_too_long_is_unknown(void)
{
	char host[2048];

	memset(host, 'a', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	CHECK_INT(check("* " ED1 "\n", host, 22, ED1), AGS_HOST_KEY_UNKNOWN);
}

/* ssh-keygen -F finds a line exactly when we do. */
static void test_ssh_keygen_finds_the_same_hosts(void)
{
	static const char text[] = "web1 " ED1 "\n*.example.com,!bad.example.com " ED1 "\n[web2]:2222,web3 " EC1 "\n? " ED2 "\n"
	                           "|1|MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=|" HASH_WEB1_2222 " " ED1 "\n";
	static const char *const hosts[] = { "web1", "web2", "web3", "a.example.com", "bad.example.com", "example.com", "x", "xx" };
	static const uint16_t ports[] = { 22, 2222 };
	char file[] = "/tmp/ags-known-XXXXXX", command[512];
	const char *types[4];
	struct ags_known_hosts *known = parse(text);
	int fd = mkstemp(file);

	if (system("ssh-keygen -? >/dev/null 2>&1") == 127 * 256) {
		printf("# skipped: there is no ssh-keygen\n");
		return;
	}
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++)
		for (size_t k = 0; k < 2; k++) {
			bool theirs, ours = ags_known_hosts_types(known, hosts[i], ports[k], types, 4) > 0;

			snprintf(command, sizeof(command), ports[k] == 22 ? "ssh-keygen -F '%s' -f %s >/dev/null 2>&1" :
			         "ssh-keygen -F '[%s]:2222' -f %s >/dev/null 2>&1", hosts[i], file);
			theirs = system(command) == 0;
			if (ours != theirs)
				fprintf(stderr, "%s port %u: ssh-keygen says %d\n", hosts[i], ports[k], theirs);
			CHECK_INT(ours, theirs);
		}
	ags_known_hosts_free(known);
	unlink(file);
}

static void test_a_fingerprint_is_that_of_ssh_keygen(void)
{
	uint8_t blob[512];
	char to[AGS_FINGERPRINT_LEN];
	long len = ags_base64_decode(blob, strchr(ED1, ' ') + 1, strlen(strchr(ED1, ' ') + 1));

	ags_fingerprint(blob, (size_t)len, to);
	CHECK_STR(to, FINGERPRINT_ED1);
}

static void test_base64(void)
{
	uint8_t to[16];

	CHECK_INT(ags_base64_decode(to, "", 0), 0);
	CHECK_INT(ags_base64_decode(to, "TQ==", 4), 1);
	CHECK_INT(ags_base64_decode(to, "TWE=", 4), 2);
	CHECK_INT(ags_base64_decode(to, "TWFu", 4), 3);
	CHECK(memcmp(to, "Man", 3) == 0);
	CHECK_INT(ags_base64_decode(to, "TW\nFu", 5), 3);
	CHECK_INT(ags_base64_decode(to, "TWF", 3), -1);
	CHECK_INT(ags_base64_decode(to, "T===", 4), -1);
	CHECK_INT(ags_base64_decode(to, "TQ=a", 4), -1);
	CHECK_INT(ags_base64_decode(to, "TW*u", 4), -1);
}

int main(void)
{
	RUN(test_a_plain_line_names_its_host);
	RUN(test_several_names_and_keys);
	RUN(test_another_type_of_key_is_a_change);
	RUN(test_a_port_other_than_22_is_in_brackets);
	RUN(test_wildcards_and_negation);
	RUN(test_a_pattern_of_many_stars_is_no_trap);
	RUN(test_hashed_names);
	RUN(test_a_revoked_key_is_refused_wherever_the_line_stands);
	RUN(test_certificate_authorities_are_passed_over);
	RUN(test_a_bad_line_costs_that_line_only);
	RUN(test_lines_may_end_as_on_windows);
	RUN(test_types_come_in_order_and_once);
	RUN(test_files);
	RUN(test_a_host_name_too_long_is_unknown);
	RUN(test_ssh_keygen_finds_the_same_hosts);
	RUN(test_a_fingerprint_is_that_of_ssh_keygen);
	RUN(test_base64);
	return check_result();
}
