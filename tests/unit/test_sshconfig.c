#include "unit/check.h"

#include "ssh/sshconfig.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

/* With that as the user's file, and none of the system. */
static struct ags_sshconfig read_text(const char *text)
{
	struct ags_sshconfig config;

	put(".ssh/config", text);
	ags_sshconfig_read(&config, folder, "/nowhere");
	return config;
}

#define SAYS(text) CHECK(read_text(text).says_something)
#define IS_SILENT(text) CHECK(!read_text(text).says_something)

static void test_words_that_matter_are_found(void)
{
	SAYS("HostName a\n");
	SAYS("Host web*\n\tProxyJump bastion\n");
	SAYS("  proxycommand=nc %h %p");
	SAYS("Match host web1\r\n\"Port\" 2222\r\n");
	SAYS("IdentityFile ~/.ssh/other\n");
	SAYS("HOSTKEYALIAS x\n");
	SAYS("UserKnownHostsFile /x\nCompression yes\n");
}

static void test_other_words_and_comments_say_nothing(void)
{
	IS_SILENT("");
	IS_SILENT("Host *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n");
	IS_SILENT("# HostName a\n\n   #ProxyJump b\nCompression yes\nHostNames a\nPor 22\n");
	IS_SILENT("Include\n");
	IS_SILENT("Include /nowhere/*.conf # HostName a\n");
}

static void test_included_files_are_read(void)
{
	put(".ssh/one.conf", "Compression yes\n");
	put(".ssh/two.conf", "ProxyJump a\n");
	IS_SILENT("Include one.conf\n");
	SAYS("Include one.conf two.conf\n");
	SAYS("include *.conf\n");
	SAYS("Include ~/.ssh/two.conf\n");
	put(".ssh/circle", "Include circle\n");
	SAYS("Include circle\n");                        /* too deep for us: ssh may say why */
	SAYS("Include %d/x\n");
	SAYS("Include ${HOME}/x\n");
	SAYS("Include ~other/x\n");
}

static void test_the_mark_changes_with_any_file(void)
{
	uint64_t first;

	put(".ssh/one.conf", "Compression yes\n");
	first = read_text("Include one.conf\n").mark;
	CHECK(read_text("Include one.conf\n").mark == first);
	CHECK(read_text("Include one.conf\n\n").mark != first);
	put(".ssh/one.conf", "Compression no\n");
	CHECK(read_text("Include one.conf\n").mark != first);
}

static void test_the_systems_file_is_read_too(void)
{
	struct ags_sshconfig config;
	char file[256];

	put("system", "ProxyJump a\n");
	put(".ssh/config", "");
	snprintf(file, sizeof(file), "%s/system", folder);
	ags_sshconfig_read(&config, folder, file);
	CHECK(config.says_something);
	ags_sshconfig_read(&config, NULL, "/nowhere");
	CHECK(!config.says_something);
}

static void test_a_file_that_is_no_file_is_left_to_ssh(void)
{
	char name[256];
	struct ags_sshconfig config;

	snprintf(name, sizeof(name), "%s/.ssh/config", folder);
	unlink(name);
	mkdir(name, 0700);
	ags_sshconfig_read(&config, folder, "/nowhere");
	CHECK(config.says_something);
	rmdir(name);
	CHECK(mkfifo(name, 0600) == 0);
	ags_sshconfig_read(&config, folder, "/nowhere");
	CHECK(config.says_something);
	unlink(name);
}

static struct ags_endpoint endpoint(void)
{
	return (struct ags_endpoint){ .server = "web1", .host = "web1", .user = "aegir", .port = 22, .home = "/home/me",
	                              .user_is_default = true, .port_is_default = true };
}

/* What matters in the usual answer with these lines changed. */
static const char *need(const struct ags_endpoint *to, const char *lines)
{
	static bool user_is_theirs;
	char said[4096];

	snprintf(said, sizeof(said), "host web1\n%s%s", lines,
	         "addressfamily any\nproxycommand none\nciphers aes128-ctr\nsecuritykeyprovider internal\nidentityfile ~/.ssh/id_rsa\n"
	         "identityfile /home/me/.ssh/id_ed25519\nuserknownhostsfile /home/me/.ssh/known_hosts /home/me/.ssh/known_hosts2\n"
	         "canonicalizehostname false\nglobalknownhostsfile /etc/ssh/ssh_known_hosts\n");
	return ags_sshconfig_need(said, strlen(said), to, "/home/me/.ssh/known_hosts", "me", &user_is_theirs);
}

static void test_the_usual_answer_needs_nothing(void)
{
	struct ags_endpoint to = endpoint();

	CHECK(need(&to, "user me\nhostname web1\nport 22\n") == NULL);
	CHECK(need(&to, "user aegir\nhostname WEB1\nport 22\n") == NULL);
	CHECK(need(&to, "") == NULL);
}

static void test_what_differs_is_named(void)
{
	struct ags_endpoint to = endpoint();

	CHECK_STR(need(&to, "hostname 10.0.0.1\n"), "HostName");
	CHECK_STR(need(&to, "port 2222\n"), "Port");
	CHECK_STR(need(&to, "user deploy\n"), "User");
	CHECK_STR(need(&to, "proxyjump a,b\n"), "ProxyJump");
	CHECK_STR(need(&to, "proxycommand nc %h %p\n"), "ProxyCommand");
	CHECK_STR(need(&to, "hostkeyalias x\n"), "HostKeyAlias");
	CHECK_STR(need(&to, "bindaddress 10.0.0.9\n"), "BindAddress");
	CHECK_STR(need(&to, "addressfamily inet6\n"), "AddressFamily");
	CHECK_STR(need(&to, "identityfile ~/.ssh/id_farm\n"), "IdentityFile");
	CHECK_STR(need(&to, "identityfile /etc/keys/id_rsa\n"), "IdentityFile");
	CHECK_STR(need(&to, "identityagent /run/agent\n"), "IdentityAgent");
	CHECK(need(&to, "identityagent SSH_AUTH_SOCK\n") == NULL);
	CHECK_STR(need(&to, "certificatefile ~/.ssh/x-cert.pub\n"), "CertificateFile");
	CHECK_STR(need(&to, "pkcs11provider /lib/x.so\n"), "PKCS11Provider");
	CHECK_STR(need(&to, "userknownhostsfile /home/me/.ssh/known_hosts_farm\n"), "UserKnownHostsFile");
	CHECK_STR(need(&to, "revokedhostkeys /etc/revoked\n"), "RevokedHostKeys");
}

static void test_what_the_topology_names_wins(void)
{
	struct ags_endpoint to = endpoint();
	bool is_theirs = true;

	to.identity = "/keys/one";
	CHECK(need(&to, "identityfile /keys/one\nidentityfile ~/.ssh/id_farm\n") == NULL);
	CHECK(ags_sshconfig_need("user deploy\n", 12, &to, "", "me", &is_theirs) != NULL && is_theirs);
	to.user_is_default = false;
	CHECK(ags_sshconfig_need("user deploy\n", 12, &to, "", "me", &is_theirs) == NULL && !is_theirs);
}

static void test_an_answer_of_any_bytes_is_harmless(void)
{
	struct ags_endpoint to = endpoint();
	char said[3000];
	unsigned seed = 1;
	bool is_theirs;

	for (int round = 0; round < 2000; round++) {
		size_t len = (size_t)(rand_r(&seed) % (int)sizeof(said));

		for (size_t i = 0; i < len; i++)
			said[i] = "port user\nhostname \0x"[rand_r(&seed) % 21];
		ags_sshconfig_need(said, len, &to, "", "me", &is_theirs);
	}
	memset(said, 'x', sizeof(said));
	CHECK(ags_sshconfig_need(said, sizeof(said), &to, "", "me", &is_theirs) == NULL);
}

int main(void)
{
	char command[128];

	strcpy(folder, "/tmp/ags-config-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(command, sizeof(command), "%s/.ssh", folder);
	mkdir(command, 0700);
	RUN(test_words_that_matter_are_found);
	RUN(test_other_words_and_comments_say_nothing);
	RUN(test_included_files_are_read);
	RUN(test_the_mark_changes_with_any_file);
	RUN(test_the_systems_file_is_read_too);
	RUN(test_a_file_that_is_no_file_is_left_to_ssh);
	RUN(test_the_usual_answer_needs_nothing);
	RUN(test_what_differs_is_named);
	RUN(test_what_the_topology_names_wins);
	RUN(test_an_answer_of_any_bytes_is_harmless);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) != 0 || check_result();
}
