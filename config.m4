dnl Builds the extension aegir_scale: phpize && ./configure && make

PHP_ARG_ENABLE([aegir_scale],
  [whether to build aegir_scale],
  [AS_HELP_STRING([--enable-aegir-scale], [Build the extension aegir_scale])],
  [yes])

PHP_ARG_ENABLE([aegir-scale-dev],
  [whether to compile aegir_scale with developer warnings as errors],
  [AS_HELP_STRING([--enable-aegir-scale-dev], [aegir_scale: compile with developer warnings as errors])],
  [no],
  [no])

dnl AGS_LIBRARY(name of pkg-config, name for people, package of Debian)
AC_DEFUN([AGS_LIBRARY], [
  AC_MSG_CHECKING([for $2])
  if ! $PKG_CONFIG --exists "$1"; then
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([$2 was not found: install Debian's package $3])
  fi
  ags_found=`$PKG_CONFIG --modversion "$1"`
  AC_MSG_RESULT([$ags_found])
  PHP_EVAL_INCLINE([`$PKG_CONFIG --cflags "$1"`])
  PHP_EVAL_LIBLINE([`$PKG_CONFIG --libs "$1"`], [AEGIR_SCALE_SHARED_LIBADD])
])

if test "$PHP_AEGIR_SCALE" != "no"; then
  AC_PATH_TOOL([PKG_CONFIG], [pkg-config], [no])
  if test "$PKG_CONFIG" = "no"; then
    AC_MSG_ERROR([pkg-config was not found: install Debian's package pkg-config])
  fi
  if test "$PHP_CONFIG" != "" && test "`$PHP_CONFIG --vernum`" -lt 80200; then
    AC_MSG_ERROR([PHP is older than 8.2, which aegir_scale needs])
  fi

  AGS_LIBRARY([libssh2], [libssh2], [libssh2-1-dev])
  AGS_LIBRARY([yaml-0.1], [libyaml], [libyaml-dev])
  AGS_LIBRARY([libxxhash], [xxHash], [libxxhash-dev])
  AGS_LIBRARY([libzstd], [zstd], [libzstd-dev])
  AGS_LIBRARY([liblz4], [LZ4], [liblz4-dev])
  AGS_LIBRARY([zlib], [zlib], [zlib1g-dev])
  AGS_LIBRARY([libcrypto], [OpenSSL's libcrypto], [libssl-dev])

  AEGIR_SCALE_CFLAGS="-std=gnu11 -fvisibility=hidden -DZEND_ENABLE_STATIC_TSRMLS_CACHE=1"
  if test "$PHP_AEGIR_SCALE_DEV" = "yes"; then
    AEGIR_SCALE_CFLAGS="$AEGIR_SCALE_CFLAGS -Wall -Wextra -Wshadow -Wstrict-prototypes -Wno-unused-parameter -Werror"
  fi

  dnl One name a word; tests/package-files.sh compares them with the files on disk.
  AEGIR_SCALE_SOURCES=m4_normalize(["
    ext/aegir_scale.c
    ext/base/arena.c
    ext/base/buf.c
    ext/base/digest.c
    ext/base/err.c
    ext/base/host.c
    ext/base/loop.c
    ext/base/node.c
    ext/base/text.c
    ext/base/yaml.c
    ext/base/yaml_text.c
    ext/convert.c
    ext/host.c
    ext/options.c
    ext/results.c
    ext/rsync/answers.c
    ext/rsync/blockindex.c
    ext/rsync/chmod.c
    ext/rsync/command.c
    ext/rsync/filelist.c
    ext/rsync/filelist_encode.c
    ext/rsync/filter.c
    ext/rsync/filter_rule.c
    ext/rsync/idnames.c
    ext/rsync/itemize.c
    ext/rsync/match.c
    ext/rsync/packed.c
    ext/rsync/piece.c
    ext/rsync/producer.c
    ext/rsync/receive.c
    ext/rsync/scan.c
    ext/rsync/scan_hash.c
    ext/rsync/scan_links.c
    ext/rsync/scan_walk.c
    ext/rsync/sender.c
    ext/rsync/source.c
    ext/rsync/tokens.c
    ext/rsync/tokens_lz4.c
    ext/rsync/tokens_zlib.c
    ext/rsync/tokens_zstd.c
    ext/rsync/wildmatch.c
    ext/rsync/wire.c
    ext/scale/fanout.c
    ext/scale/fetch.c
    ext/scale/fetch_bridge.c
    ext/scale/fetch_merge.c
    ext/scale/guard.c
    ext/scale/lock.c
    ext/scale/mount.c
    ext/scale/pace.c
    ext/scale/receiver.c
    ext/scale/release.c
    ext/scale/release_round.c
    ext/scale/release_script.c
    ext/scale/release_switch.c
    ext/scale/release_uploads.c
    ext/scale/report.c
    ext/scale/rounds.c
    ext/scale/run.c
    ext/scale/state.c
    ext/scale/sync.c
    ext/scale/topology.c
    ext/scale/topology_parts.c
    ext/scale/topology_read.c
    ext/scale/topology_refs.c
    ext/scale/topology_syntax.c
    ext/scale/topology_tree.c
    ext/scale/uploads.c
    ext/ssh/agent.c
    ext/ssh/arguments.c
    ext/ssh/auth.c
    ext/ssh/blob.c
    ext/ssh/channel.c
    ext/ssh/channel_libssh2.c
    ext/ssh/channel_openssh.c
    ext/ssh/channels.c
    ext/ssh/choice.c
    ext/ssh/dial.c
    ext/ssh/endpoint.c
    ext/ssh/hostkey.c
    ext/ssh/identity.c
    ext/ssh/knownhosts.c
    ext/ssh/lookup.c
    ext/ssh/mux.c
    ext/ssh/openssh.c
    ext/ssh/pool.c
    ext/ssh/process.c
    ext/ssh/quote.c
    ext/ssh/session.c
    ext/ssh/session_libssh2.c
    ext/ssh/session_openssh.c
    ext/ssh/sshconfig.c
    ext/throw.c
    ext/topology_object.c
  "])

  PHP_NEW_EXTENSION([aegir_scale], [$AEGIR_SCALE_SOURCES], [$ext_shared], [], [$AEGIR_SCALE_CFLAGS])
  PHP_ADD_INCLUDE([$ext_srcdir/ext])
  PHP_ADD_BUILD_DIR([$ext_builddir/ext/base $ext_builddir/ext/rsync $ext_builddir/ext/ssh $ext_builddir/ext/scale], [1])
  PHP_ADD_EXTENSION_DEP([aegir_scale], [json])
  dnl A name look-up may still run in its thread when PHP unloads the module.
  AEGIR_SCALE_SHARED_LIBADD="$AEGIR_SCALE_SHARED_LIBADD -Wl,-z,nodelete"
  PHP_SUBST([AEGIR_SCALE_SHARED_LIBADD])
fi
