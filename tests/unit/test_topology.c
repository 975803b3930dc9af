#include "unit/check.h"

#include "base/limits.h"
#include "base/yaml.h"
#include "scale/topology.h"

#include <sys/stat.h>
#include <unistd.h>

/* A topology that is right; what a test is about follows it, or replaces it. */
#define BASE "version: 1\nservers: { web1: { host: 10.0.0.11 }, web2: { host: 10.0.0.12 } }\n"

static char complaints[16384];

static struct ags_topology *build_at(const char *text, const char *home)
{
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_node *root = ags_yaml_parse(&arena, text, strlen(text), &problems);
	struct ags_topology *t = root != NULL ? ags_topology_build(root, "t.yml", home, &problems, &err) : NULL;
	size_t used = 0;

	CHECK_INT(err.code, AGS_OK);
	CHECK((t == NULL) == (problems.count > 0));
	complaints[0] = '\0';
	for (size_t i = 0; i < problems.count && used < sizeof(complaints); i++)
		used += (size_t)snprintf(complaints + used, sizeof(complaints) - used, "%u:%u %s: %s\n", problems.items[i].line,
		                         problems.items[i].column, problems.items[i].where, problems.items[i].message);
	ags_problems_free(&problems);
	ags_arena_free(&arena);
	return t;
}

static struct ags_topology *build(const char *text) { return build_at(text, "/var/aegir"); }

#define ACCEPTS(text) do { ags_topology_free(build(text)); CHECK_STR(complaints, ""); } while (0)
#define COMPLAINS(text, wanted) do { ags_topology_free(build(text)); CHECK_STR(complaints, wanted); } while (0)

/* The example of the manual. */
#define EXAMPLE_SERVERS "version: 1\n" \
	"defaults: { user: aegir, port: 22, connect_timeout: 10, timeout: 300 }\n" \
	"servers:\n" \
	"  web1: { host: 10.0.0.11 }\n" \
	"  web2: { host: 10.0.0.12, port: 2222, identity: ~/.ssh/id_ed25519, known_hosts: ~/.ssh/known_hosts }\n" \
	"  web3: { host: 127.0.0.1, port: 2203, root: /srv/web3 }   # root: the directory on the server that stands for / (default /)\n" \
	"  nfs1: { host: 10.0.0.20, admin: root }        # admin: the user that may become root, for pack and balancer set-up only\n" \
	"  lb1:  { host: 10.0.0.5,  admin: root }\n"
#define EXAMPLE_GROUPS "storage:\n" \
	"  main: { type: nfs, server: nfs1, export: /srv/aegir, standby: nfs2 }    # type: nfs | cephfs | path (already mounted)\n" \
	"clusters:\n" \
	"  live: { servers: [web1, web2], storage: main, uploads: shared }         # uploads: shared | gather | protect\n" \
	"packs:\n" \
	"  dev:  { masters: [], slaves: [web1, web2], storage: main, paths: [/var/aegir/projects], code: local }  # code: local | nfs\n" \
	"balancers:\n" \
	"  edge: { type: haproxy, server: lb1, bind: [\"*:80\"], backends: [live], check: /.aegir-scale/health }\n"
#define EXAMPLE EXAMPLE_SERVERS "  nfs2: { host: 10.0.0.21 }\n" EXAMPLE_GROUPS

static void test_the_example_is_read_as_it_stands(void)
{
	struct ags_topology *t = build(EXAMPLE);

	CHECK_STR(complaints, "");
	if (t == NULL)
		return;
	CHECK_INT(t->server_count, 6);
	CHECK_STR(t->file, "t.yml");
	CHECK_STR(t->servers[1].identity, "/var/aegir/.ssh/id_ed25519");
	CHECK_INT(t->servers[1].port, 2222);
	CHECK_STR(t->servers[2].root, "/srv/web3");
	CHECK_STR(t->servers[3].admin, "root");
	CHECK_STR(t->storages[0].standby->name, "nfs2");
	CHECK_STR(t->storages[0].path, "/srv/aegir");
	CHECK(t->clusters[0].storage == &t->storages[0]);
	CHECK(t->clusters[0].servers.items[1] == &t->servers[1]);
	CHECK_INT(t->packs[0].masters.count, 0);
	CHECK_STR(t->packs[0].paths.items[0], "/var/aegir/projects");
	CHECK_STR(t->balancers[0].bind.items[0], "*:80");
	ags_topology_free(t);
}

static void test_a_dangling_standby_names_the_nearest_server(void)
{
	COMPLAINS(EXAMPLE_SERVERS EXAMPLE_GROUPS, "10:65 storage.main.standby: no server \"nfs2\", did you mean \"nfs1\"?\n");
}

static void test_a_server_has_defaults(void)
{
	struct ags_topology *t = build("version: 1\nservers: { web1.example.org: }\n");
	const struct ags_server *s = t->servers;

	CHECK_STR(s->host, "web1.example.org");
	CHECK_STR(s->user, "aegir");
	CHECK(s->admin == NULL && s->identity == NULL);
	CHECK_STR(s->known_hosts, "/var/aegir/.ssh/known_hosts");
	CHECK_STR(s->root, "");
	CHECK_INT(s->port, 22);
	CHECK_INT(s->connect_timeout, 10);
	CHECK_INT(s->timeout, 300);
	CHECK_INT(s->transport, AGS_TRANSPORT_AUTO);
	ags_topology_free(t);
}

static void test_defaults_may_stand_below_the_servers(void)
{
	struct ags_topology *t = build("version: 1\nservers: { web1: {}, web2: { user: www, port: 23, root: / } }\n"
	                               "defaults: { user: deploy, port: 2200, root: /srv/, admin: root, transport: openssh, timeout: 9 }\n");

	CHECK_STR(t->servers[0].user, "deploy");
	CHECK_INT(t->servers[0].port, 2200);
	CHECK_STR(t->servers[0].root, "/srv");
	CHECK_INT(t->servers[0].transport, AGS_TRANSPORT_OPENSSH);
	CHECK_STR(t->servers[1].user, "www");
	CHECK_STR(t->servers[1].admin, "root");
	CHECK_STR(t->servers[1].root, "");
	CHECK_INT(t->servers[1].timeout, 9);
	ags_topology_free(t);
	COMPLAINS(BASE "defaults: { host: a }\n", "3:13 defaults.host: unknown key \"host\", did you mean \"port\"?\n");
}

static void test_all_problems_come_in_the_order_of_the_file(void)
{
	COMPLAINS("clusters: { live: { servers: [web9] } }\nservers:\n  web1: { hots: a, port: ssh }\n  web1: {}\nversion: 2\nserver: {}\n",
	          "1:31 clusters.live.servers: no server \"web9\", did you mean \"web1\"?\n"
	          "3:11 servers.web1.hots: unknown key \"hots\", did you mean \"host\"?\n"
	          "3:26 servers.web1.port: port is \"ssh\", want a number from 1 to 65535\n"
	          "4:3 servers.web1: duplicate key \"web1\", the first is in line 3\n"
	          "5:10 version: version is 2, want 1\n"
	          "6:1 server: unknown key \"server\", did you mean \"servers\"?\n");
}

static void test_version_and_servers_must_be_there(void)
{
	COMPLAINS("", "1:1 version: version is missing, want version: 1\n1:1 servers: servers is missing, want a map with one server or more\n");
	COMPLAINS("version: '1'\nservers: {}\n", "1:10 version: version is \"1\", want 1\n"
	                                         "2:10 servers: servers is empty, want a map with one server or more\n");
	COMPLAINS("[]\n", "1:1 version: version is missing, want version: 1\n1:1 servers: servers is missing, want a map with one server or more\n");
	COMPLAINS("a text\n", "1:1 : the topology is \"a text\", want a map\n");
	COMPLAINS("version: 1\nservers: [web1]\n", "2:10 servers: servers is a list, want a map that begins with names\n");
}

static void test_sections_without_entries_are_fine(void)
{
	ACCEPTS(BASE "defaults:\nstorage:\nclusters: {}\npacks: []\nbalancers:\n");
}

static void test_numbers_have_a_type_and_a_range(void)
{
	COMPLAINS("version: 1\nservers:\n  a: { port: 0 }\n  b: { port: 65536 }\n  c: { port: '22' }\n  d: { port: }\n"
	          "  e: { timeout: -1, connect_timeout: 9223372036854775807 }\n  f: { port: true }\n  g: { port: [22] }\n",
	          "3:14 servers.a.port: port is 0, want a number from 1 to 65535\n"
	          "4:14 servers.b.port: port is 65536, want a number from 1 to 65535\n"
	          "5:14 servers.c.port: port is \"22\", want a number from 1 to 65535, without quotes\n"
	          "6:14 servers.d.port: port is empty, want a number from 1 to 65535\n"
	          "7:17 servers.e.timeout: timeout is -1, want a number from 1 to 86400\n"
	          "7:38 servers.e.connect_timeout: connect_timeout is 9223372036854775807, want a number from 1 to 3600\n"
	          "8:14 servers.f.port: port is true, want a number from 1 to 65535\n"
	          "9:14 servers.g.port: port is a list, want a number from 1 to 65535\n");
}

static void test_choices_name_the_nearest_word(void)
{
	COMPLAINS("version: 1\nservers: { a: { transport: libssh }, b: { transport: telnet }, c: { transport: 2 } }\n",
	          "2:28 servers.a.transport: transport is \"libssh\", want auto, libssh2 or openssh, did you mean \"libssh2\"?\n"
	          "2:54 servers.b.transport: transport is \"telnet\", want auto, libssh2 or openssh\n"
	          "2:80 servers.c.transport: transport is 2, want auto, libssh2 or openssh\n");
}

static void test_names_are_letters_digits_and_a_few_signs(void)
{
	char text[512];

	ACCEPTS("version: 1\nservers: { '@server_web1': { host: a }, Web-1.b_c: { host: a }, '1': { host: a } }\n");
	COMPLAINS("version: 1\nservers:\n  'a b': { host: a }\n  -x: { host: a }\n  \"a\\nb\": { host: a }\n  '@': { host: a }\n  ../x: { host: a }\n",
	          "3:3 servers.a b: name \"a b\", want letters, digits and _ . - (at most 64), with a letter or digit first\n"
	          "4:3 servers.-x: name \"-x\", want letters, digits and _ . - (at most 64), with a letter or digit first\n"
	          "5:3 servers.a\\nb: name \"a\\nb\", want letters, digits and _ . - (at most 64), with a letter or digit first\n"
	          "6:3 servers.@: name \"@\", want letters, digits and _ . - (at most 64), with a letter or digit first\n"
	          "7:3 servers.../x: name \"../x\", want letters, digits and _ . - (at most 64), with a letter or digit first\n");
	snprintf(text, sizeof(text), "version: 1\nservers: { %065d: { host: a } }\n", 1);
	ags_topology_free(build(text));
	CHECK(strstr(complaints, "...\", want letters") != NULL);
	snprintf(text, sizeof(text), "version: 1\nservers: { a%063d: { host: a } }\n", 1);
	ACCEPTS(text);
}

static void test_hosts_are_addresses_or_names(void)
{
	static const char *const good[][2] = {
		{ "10.0.0.1", "10.0.0.1" }, { "'2001:db8::1'", "2001:db8::1" }, { "'[2001:db8::1]'", "2001:db8::1" },
		{ "fe80::1%eth0", "fe80::1%eth0" }, { "web-1.example.org", "web-1.example.org" }, { "my_host", "my_host" },
		{ "example.org.", "example.org." }, { "'::'", "::" }
	};
	static const char *const bad[] = {
		"-oProxyCommand=x", "'a b'", "10.0.0.300", "'1'", "10", "a..b", ".a", "''", "'[10.0.0.1]'", "'[::1'", "':::'", "'[]'", "'['", "a:22",
		"user@a", "\"a\\tb\"", "\"a\\0b\"", "a.-b", "'fe80::1%'", "\"\\u00e9\"", "a/b", "'$(id)'",
	};
	char text[256];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct ags_topology *t;

		snprintf(text, sizeof(text), "version: 1\nservers: { web1: { host: %s } }\n", good[i][0]);
		t = build(text);
		CHECK_STR(complaints, "");
		CHECK_STR(t != NULL ? t->servers[0].host : NULL, good[i][1]);
		ags_topology_free(t);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), "version: 1\nservers: { web1: { host: %s } }\n", bad[i]);
		ags_topology_free(build(text));
		if (strstr(complaints, "2:26 servers.web1.host: ") == NULL)
			fprintf(stderr, "host %s: %s\n", bad[i], complaints);
		CHECK(strstr(complaints, "2:26 servers.web1.host: ") != NULL);
	}
	COMPLAINS("version: 1\nservers: { web1: { host: -oProxyCommand=x } }\n",
	          "2:26 servers.web1.host: host is \"-oProxyCommand=x\", want an IPv4 or IPv6 address or a host name\n");
	COMPLAINS("version: 1\nservers: { '@server_a': {} }\n",
	          "2:25 servers.@server_a.host: host is missing, want an address or a host name, because the server's own name is none\n");
}

static void test_users_cannot_be_options_or_commands(void)
{
	ACCEPTS("version: 1\nservers: { a: { user: o1.b_c-d, admin: 'CORP\\root' } }\n");
	COMPLAINS("version: 1\nservers: { a: { user: -l, admin: 'a;b' }, b: { user: 1000 } }\n",
	          "2:23 servers.a.user: user is \"-l\", want a user name of letters, digits and _ . + @ \\ -\n"
	          "2:34 servers.a.admin: admin is \"a;b\", want a user name of letters, digits and _ . + @ \\ -\n"
	          "2:54 servers.b.user: user is 1000, want a user name of letters, digits and _ . + @ \\ -\n");
}

static void test_paths_are_absolute_and_plain(void)
{
	struct ags_topology *t = build("version: 1\nservers: { a: { root: /srv//x/./y/, identity: ~/k } , b: { root: //, identity: '/a b/..c/...' } }\n");

	CHECK_STR(complaints, "");
	CHECK_STR(t->servers[0].root, "/srv/x/y");
	CHECK_STR(t->servers[0].identity, "/var/aegir/k");
	CHECK_STR(t->servers[1].root, "");
	CHECK_STR(t->servers[1].identity, "/a b/..c/...");
	ags_topology_free(t);
	COMPLAINS("version: 1\nservers:\n  a: { root: srv/x }\n  b: { root: /srv/../x }\n  c: { root: \"/a\\nb\" }\n  d: { root: '' }\n"
	          "  e: { identity: / }\n  f: { root: /srv/.. }\n  g: { identity: ~root/x }\n  h: { identity: id_rsa }\n  i: { root: }\n",
	          "3:14 servers.a.root: root is \"srv/x\", want an absolute path\n"
	          "4:14 servers.b.root: root is \"/srv/../x\", want a path without \"..\"\n"
	          "5:14 servers.c.root: root is \"/a\\nb\", want a path without control characters\n"
	          "6:14 servers.d.root: root is \"\", want an absolute path\n"
	          "7:18 servers.e.identity: identity is \"/\", want a path below /\n"
	          "8:14 servers.f.root: root is \"/srv/..\", want a path without \"..\"\n"
	          "9:18 servers.g.identity: identity is \"~root/x\", want an absolute path or one that begins with ~/\n"
	          "10:18 servers.h.identity: identity is \"id_rsa\", want an absolute path\n"
	          "11:14 servers.i.root: root is empty, want an absolute path\n");
}

static void test_long_paths_are_refused(void)
{
	char text[AGS_MAX_PATH + 256];

	snprintf(text, sizeof(text), "version: 1\nservers: { a: { root: /%04095d } }\n", 0);
	ags_topology_free(build(text));
	CHECK(strstr(complaints, "...") != NULL && strstr(complaints, ", want a shorter path\n") != NULL);
	snprintf(text, sizeof(text), "version: 1\nservers: { a: { root: /%04094d } }\n", 0);
	ACCEPTS(text);
}

static void test_without_a_home_the_files_must_be_named(void)
{
	ags_topology_free(build_at("version: 1\nservers: { a: { known_hosts: /k }, b: {}, c: { known_hosts: ~/k } }\n", NULL));
	CHECK_STR(complaints, "2:39 servers.b.known_hosts: known_hosts is missing, want the path of a file, because there is no home directory to look in\n"
	          "2:61 servers.c.known_hosts: known_hosts is \"~/k\", want an absolute path, because there is no home directory to put for ~\n");
	ags_topology_free(build_at("version: 1\ndefaults: { known_hosts: /k }\nservers: { a: {} }\n", NULL));
	CHECK_STR(complaints, "");
}

static void test_storage_needs_what_its_type_needs(void)
{
	ACCEPTS(BASE "storage: { a: { type: cephfs, path: /mnt/a }, b: { type: path, path: /mnt/b }, c: { type: nfs, server: web1, export: /e } }\n");
	COMPLAINS(BASE "storage:\n  a: { type: nfs }\n  b: { type: cephfs, server: web1, export: /e }\n  c: { type: path }\n  d: { path: /x }\n"
	          "  e: { type: nfs, server: web1, standby: web1, export: / }\n  f:\n  g: { type: ntfs }\n",
	          "4:6 storage.a.server: server is missing, want the name of the server that exports it\n"
	          "4:6 storage.a.export: export is missing, want the directory that the server exports\n"
	          "5:6 storage.b.path: path is missing, want the directory where it is mounted on every server\n"
	          "5:30 storage.b.server: server is for storage of type nfs, want only path\n"
	          "5:44 storage.b.export: export is for storage of type nfs, want only path\n"
	          "6:6 storage.c.path: path is missing, want the directory where it is mounted on every server\n"
	          "7:6 storage.d.type: type is missing, want nfs, cephfs or path\n"
	          "8:42 storage.e.standby: standby is \"web1\", want another server than the one that exports it\n"
	          "8:56 storage.e.export: export is \"/\", want a path below /\n"
	          "9:5 storage.f.type: type is missing, want nfs, cephfs or path\n"
	          "10:14 storage.g.type: type is \"ntfs\", want nfs, cephfs or path, did you mean \"nfs\"?\n");
}

#define STORAGE "storage: { main: { type: path, path: /mnt } }\n"

static void test_a_cluster_has_servers_and_uploads_have_a_storage(void)
{
	struct ags_topology *t = build(BASE STORAGE "clusters: { a: { servers: [web1], storage: main }, b: { servers: [web2] } }\n");

	CHECK_INT(t->clusters[0].uploads, AGS_UPLOADS_SHARED);
	CHECK_INT(t->clusters[1].uploads, AGS_UPLOADS_PROTECT);
	CHECK(t->clusters[1].storage == NULL);
	ags_topology_free(t);
	COMPLAINS(BASE STORAGE "clusters:\n  a: { servers: [] }\n  b: {}\n  c: { servers: [web1], uploads: shared }\n"
	          "  d: { servers: [web1, web2, web1], storage: mein }\n  e: { servers: web1 }\n  f: { servers: [1] }\n  g: { servers: }\n  h: [web1]\n",
	          "5:17 clusters.a.servers: servers is empty, want the names of one server or more\n"
	          "6:6 clusters.b.servers: servers is missing, want the names of one server or more\n"
	          "7:6 clusters.c.storage: storage is missing, want the name of a storage, because uploads are shared\n"
	          "8:30 clusters.d.servers: \"web1\" is in this list already\n"
	          "8:46 clusters.d.storage: no storage \"mein\", did you mean \"main\"?\n"
	          "9:17 clusters.e.servers: servers is \"web1\", want a list of names of servers\n"
	          "10:18 clusters.f.servers: servers is 1, want names of servers\n"
	          "11:17 clusters.g.servers: servers is empty, want a list of names of servers\n"
	          "12:6 clusters.h: h is a list, want a map\n");
}

static void test_a_pack_has_a_storage_and_a_server_on_one_side(void)
{
	ACCEPTS(BASE STORAGE "packs: { a: { masters: [web1], slaves: [web2], storage: main, code: nfs, paths: [/a, /b] }, b: { slaves: [web1], storage: main } }\n");
	COMPLAINS(BASE STORAGE "packs:\n  a: { masters: [], slaves: [], storage: main }\n  b: { masters: [web1, web2], slaves: [web1] }\n"
	          "  c: { slaves: [web1], storage: main, paths: [a, /b, /b/, /], code: loca }\n",
	          "5:6 packs.a.slaves: slaves is missing, want the names of one server or more in masters or slaves\n"
	          "6:6 packs.b.storage: storage is missing, want the name of the storage that the pack shares\n"
	          "6:40 packs.b.slaves: \"web1\" is a master and a slave, want one of the two\n"
	          "7:47 packs.c.paths: paths is \"a\", want an absolute path\n"
	          "7:54 packs.c.paths: \"/b\" is in this list already\n"
	          "7:59 packs.c.paths: paths is \"/\", want a path below /\n"
	          "7:69 packs.c.code: code is \"loca\", want local or nfs, did you mean \"local\"?\n");
}

#define CLUSTER "clusters: { live: { servers: [web1] } }\n"

static void test_a_balancer_needs_all_but_the_check(void)
{
	struct ags_topology *t = build(BASE CLUSTER "balancers: { edge: { type: nginx, server: web2, bind: [\"*:80\"], backends: [live] } }\n");

	CHECK_STR(t != NULL ? t->balancers[0].check : NULL, "/.aegir-scale/health");
	ags_topology_free(t);
	COMPLAINS(BASE CLUSTER "balancers:\n  a: {}\n  b: { type: haproxy, server: web2, bind: [], backends: [], check: health }\n"
	          "  c: { type: haproxy, server: web2, bind: [80], backends: [liv, web1, live, live, 1], check: '/a b' }\n",
	          "5:6 balancers.a.type: type is missing, want haproxy or nginx\n"
	          "5:6 balancers.a.server: server is missing, want the name of the server that it runs on\n"
	          "5:6 balancers.a.bind: bind is missing, want a list of addresses such as \"*:80\"\n"
	          "5:6 balancers.a.backends: backends is missing, want a list of clusters and packs\n"
	          "6:43 balancers.b.bind: bind is empty, want a list of addresses such as \"*:80\"\n"
	          "6:57 balancers.b.backends: backends is empty, want a list of clusters and packs\n"
	          "6:68 balancers.b.check: check is \"health\", want a path of a URL, beginning with / and without spaces and quotes\n"
	          "7:44 balancers.c.bind: bind is 80, want \"*:80\", \"10.0.0.1:443\" or \"[::]:443\" with a port from 1 to 65535\n"
	          "7:60 balancers.c.backends: no cluster or pack \"liv\", did you mean \"live\"?\n"
	          "7:65 balancers.c.backends: \"web1\" is a server, want a cluster or pack\n"
	          "7:77 balancers.c.backends: \"live\" is in this list already\n"
	          "7:83 balancers.c.backends: backends is 1, want names of clusters and packs\n"
	          "7:94 balancers.c.check: check is \"/a b\", want a path of a URL, beginning with / and without spaces and quotes\n");
}

static void test_addresses_to_bind_have_a_port(void)
{
	static const char *const bad[] = {
		"*", "*:0", "*:65536", "*:080", ":80", "80", "10.0.0.1", "::1:80", "[::]", "[::]:", "[]:80", "*:80 ssl", "web1:80", "10.0.0.1:+80",
		"10.0.0.1:80\\nuser root", "[::1%]:80"
	};
	char text[512];

	ACCEPTS(BASE CLUSTER "balancers: { e: { type: haproxy, server: web2, bind: [\"*:80\", \"10.0.0.1:443\", \"[::]:443\", \"[2001:db8::1]:65535\"], backends: [live] } }\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		snprintf(text, sizeof(text), BASE CLUSTER "balancers: { e: { type: haproxy, server: web2, bind: [\"%s\"], backends: [live] } }\n", bad[i]);
		ags_topology_free(build(text));
		CHECK(strstr(complaints, "4:55 balancers.e.bind: bind is ") == complaints);
	}
}

static void test_servers_clusters_and_packs_share_their_names(void)
{
	COMPLAINS(BASE STORAGE "clusters: { web1: { servers: [web1] }, x: { servers: [web1] } }\npacks: { x: { slaves: [web1], storage: main } }\n",
	          "4:13 clusters.web1: \"web1\" is the name of a server already, want a name of its own\n"
	          "5:10 packs.x: \"x\" is the name of a cluster already, want a name of its own\n");
	ACCEPTS(BASE "storage: { web1: { type: path, path: /mnt } }\n");
}

static char *many_servers(size_t count)
{
	char *text = malloc(count * 32 + 64);
	size_t used = (size_t)sprintf(text, "version: 1\nservers:\n");

	for (size_t i = 0; i < count; i++)
		used += (size_t)sprintf(text + used, "  web%zu: { host: 10.0.%zu.%zu }\n", i, i / 256, i % 256);
	return text;
}

static void test_there_may_be_1024_servers_and_no_more(void)
{
	char *most = many_servers(AGS_MAX_SERVERS), *more = many_servers(AGS_MAX_SERVERS + 1);

	ACCEPTS(most);
	COMPLAINS(more, "3:3 servers: servers holds 1025 entries, want at most 1024\n");
	free(most);
	free(more);
}

static void test_a_thousand_problems_are_enough(void)
{
	char *text = malloc(400000);
	size_t used = (size_t)sprintf(text, BASE "clusters:\n  live:\n    servers: [web1]\n");

	for (int i = 0; i < 20000; i++)
		used += (size_t)sprintf(text + used, "    key%d: 1\n", i);
	ags_topology_free(build(text));
	CHECK(strstr(complaints, "6:5 clusters.live.key0: unknown key \"key0\"\n") == complaints);
	free(text);
}

static void test_a_group_is_a_cluster_a_pack_or_a_server(void)
{
	struct ags_topology *t = build(EXAMPLE "  swap: { type: nginx, server: lb1, bind: ['*:81'], backends: [dev] }\n");
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_servers s;

	CHECK(ags_topology_group(t, "live", &arena, &s, &err));
	CHECK_INT(s.count, 2);
	CHECK(s.items[0] == &t->servers[0] && s.items[1] == &t->servers[1]);
	CHECK(ags_topology_group(t, "dev", &arena, &s, &err) && s.count == 2);
	CHECK(ags_topology_group(t, "lb1", &arena, &s, &err) && s.count == 1 && s.items[0] == &t->servers[4]);
	CHECK(!ags_topology_group(t, "liev", &arena, &s, &err));
	CHECK_INT(err.code, AGS_CONFIG);
	CHECK_STR(err.message, "no cluster, pack or server \"liev\", did you mean \"live\"?");
	ags_err_clear(&err);
	CHECK(!ags_topology_group(t, "edge\n", &arena, &s, &err));
	CHECK_STR(err.message, "no cluster, pack or server \"edge\\n\"");
	ags_arena_free(&arena);
	ags_topology_free(t);
}

static void test_the_servers_of_a_pack_are_masters_then_slaves(void)
{
	struct ags_topology *t = build(BASE STORAGE "packs: { dev: { masters: [web2], slaves: [web1], storage: main } }\n");
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_servers s;

	CHECK(ags_topology_group(t, "dev", &arena, &s, &err));
	CHECK(s.count == 2 && s.items[0] == &t->servers[1] && s.items[1] == &t->servers[0]);
	ags_arena_free(&arena);
	ags_topology_free(t);
}

static bool same(const struct ags_node *a, const struct ags_node *b)
{
	bool is_same = a->kind == b->kind;

	if (!is_same || a->kind == AGS_NODE_INT)
		return is_same && a->as.integer == b->as.integer;
	if (a->kind == AGS_NODE_STRING)
		return strcmp(a->as.string.bytes, b->as.string.bytes) == 0;
	if (a->kind == AGS_NODE_LIST) {
		is_same = a->as.list.count == b->as.list.count;
		for (size_t i = 0; is_same && i < a->as.list.count; i++)
			is_same = same(a->as.list.items[i], b->as.list.items[i]);
		return is_same;
	}
	is_same = a->as.map.count == b->as.map.count;
	for (size_t i = 0; is_same && i < a->as.map.count; i++)
		is_same = strcmp(a->as.map.pairs[i].key, b->as.map.pairs[i].key) == 0 && same(a->as.map.pairs[i].value, b->as.map.pairs[i].value);
	return is_same;
}

static void test_the_tree_of_a_topology_builds_the_same_topology(void)
{
	struct ags_topology *first = build(EXAMPLE "  swap: { type: nginx, server: lb1, bind: ['*:81'], backends: [dev, live] }\n"), *second;
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_arena arena = AGS_ARENA_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_node *tree = ags_topology_tree(first, &arena), *again;

	second = ags_topology_build(tree, "", NULL, &problems, &err);
	CHECK_INT(problems.count, 0);
	CHECK(second != NULL);
	if (second != NULL) {
		again = ags_topology_tree(second, &arena);
		CHECK(again != NULL && same(tree, again));
		CHECK_STR(second->servers[1].identity, first->servers[1].identity);
		CHECK_STR(second->servers[2].root, "/srv/web3");
		CHECK_STR(second->servers[0].root, "");
		CHECK_STR(second->file, "");
		CHECK_INT(second->balancers[1].type, AGS_BALANCER_NGINX);
		CHECK_INT(second->packs[0].code, AGS_CODE_LOCAL);
	}
	ags_problems_free(&problems);
	ags_arena_free(&arena);
	ags_topology_free(first);
	ags_topology_free(second);
}

static void test_problems_of_a_tree_without_lines_stay_in_order(void)
{
	struct ags_node two = { .kind = AGS_NODE_INT, .as.integer = 2 }, text = { .kind = AGS_NODE_STRING, .as.string = { "x", 1 } };
	struct ags_pair pairs[] = { { .key = "version", .value = &two }, { .key = "servers", .value = &text }, { .key = "z", .value = &two } };
	struct ags_node root = { .kind = AGS_NODE_MAP, .as.map = { pairs, 3 } };
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_err err = AGS_ERR_INIT;

	CHECK(ags_topology_build(&root, "", "/home", &problems, &err) == NULL);
	CHECK_INT(problems.count, 3);
	CHECK_STR(problems.items[0].message, "version is 2, want 1");
	CHECK_STR(problems.items[1].message, "unknown key \"z\"");
	CHECK_STR(problems.items[2].message, "servers is \"x\", want a map that begins with names");
	CHECK_INT(problems.items[2].line, 0);
	ags_problems_free(&problems);
}

static char *in_folder(const char *folder, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void fails_to_load(const char *file, enum ags_code code, const char *message)
{
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_err err = AGS_ERR_INIT;

	CHECK(ags_topology_load(file, "/home", &problems, &err) == NULL);
	CHECK_INT(err.code, code);
	CHECK_INT(problems.count, 0);
	if (strstr(err.message, message) == NULL)
		fprintf(stderr, "%s\n", err.message);
	CHECK(strstr(err.message, message) != NULL);
	ags_problems_free(&problems);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	CHECK(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void test_load_reads_a_file(void)
{
	char folder[] = "/tmp/aegir-topology-XXXXXX";
	struct ags_problems problems = AGS_PROBLEMS_INIT;
	struct ags_err err = AGS_ERR_INIT;
	struct ags_topology *t;
	const char *path;

	CHECK(mkdtemp(folder) != NULL);
	path = in_folder(folder, "t.yml");
	write_file(path, EXAMPLE);
	t = ags_topology_load(path, "/home", &problems, &err);
	CHECK(t != NULL && err.code == AGS_OK && problems.count == 0);
	CHECK_STR(t != NULL ? t->file : NULL, path);
	ags_topology_free(t);
	write_file(path, "version: 1\nservers: { web1: { hots: a } }\n- x\n");
	CHECK(ags_topology_load(path, "/home", &problems, &err) == NULL);
	CHECK_INT(err.code, AGS_OK);
	CHECK_INT(problems.count, 1);
	CHECK_INT(problems.items[0].line, 3);
	ags_problems_free(&problems);
	unlink(path);
	rmdir(folder);
}

static void test_load_refuses_what_is_no_readable_file(void)
{
	char folder[] = "/tmp/aegir-topology-XXXXXX";
	const char *path;

	CHECK(mkdtemp(folder) != NULL);
	path = in_folder(folder, "t.yml");
	fails_to_load(folder, AGS_LOCAL_IO, "is a directory, want a file");
	fails_to_load(path, AGS_LOCAL_IO, "No such file");
	fails_to_load("/dev/null", AGS_LOCAL_IO, "is a device or pipe, want a file");
	CHECK(mkfifo(path, 0600) == 0);
	fails_to_load(path, AGS_LOCAL_IO, "is a device or pipe, want a file");
	unlink(path);
	write_file(path, "");
	CHECK(truncate(path, AGS_MAX_YAML + 1) == 0);
	fails_to_load(path, AGS_LIMIT, "has 1048577 bytes, want at most 1048576");
	if (geteuid() != 0) {
		CHECK(chmod(path, 0) == 0);
		fails_to_load(path, AGS_LOCAL_IO, "Permission denied");
	}
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	RUN(test_the_example_is_read_as_it_stands);
	RUN(test_a_dangling_standby_names_the_nearest_server);
	RUN(test_a_server_has_defaults);
	RUN(test_defaults_may_stand_below_the_servers);
	RUN(test_all_problems_come_in_the_order_of_the_file);
	RUN(test_version_and_servers_must_be_there);
	RUN(test_sections_without_entries_are_fine);
	RUN(test_numbers_have_a_type_and_a_range);
	RUN(test_choices_name_the_nearest_word);
	RUN(test_names_are_letters_digits_and_a_few_signs);
	RUN(test_hosts_are_addresses_or_names);
	RUN(test_users_cannot_be_options_or_commands);
	RUN(test_paths_are_absolute_and_plain);
	RUN(test_long_paths_are_refused);
	RUN(test_without_a_home_the_files_must_be_named);
	RUN(test_storage_needs_what_its_type_needs);
	RUN(test_a_cluster_has_servers_and_uploads_have_a_storage);
	RUN(test_a_pack_has_a_storage_and_a_server_on_one_side);
	RUN(test_a_balancer_needs_all_but_the_check);
	RUN(test_addresses_to_bind_have_a_port);
	RUN(test_servers_clusters_and_packs_share_their_names);
	RUN(test_there_may_be_1024_servers_and_no_more);
	RUN(test_a_thousand_problems_are_enough);
	RUN(test_a_group_is_a_cluster_a_pack_or_a_server);
	RUN(test_the_servers_of_a_pack_are_masters_then_slaves);
	RUN(test_the_tree_of_a_topology_builds_the_same_topology);
	RUN(test_problems_of_a_tree_without_lines_stay_in_order);
	RUN(test_load_reads_a_file);
	RUN(test_load_refuses_what_is_no_readable_file);
	return check_result();
}
