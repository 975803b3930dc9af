<?php

/** Uploads on a server survive whatever is pushed, and code that only looks like uploads does not. */

require __DIR__ . '/lib.php';

const UPLOADS = ['sites/shop.example/files/a.jpg', 'sites/shop.example/files/styles/thumb/b.jpg', 'sites/shop.example/private/invoice.pdf', 'sites/default/files/.htaccess'];
const KEEP = ['--filter=P /sites/*/files/***', '--filter=P sites/*/files/**', '--filter=P sites/*/private/**', '--filter=P files/', '--filter=P private/'];

function upload(): void
{
    foreach (NAMES as $name) {
        foreach (UPLOADS as $file) {
            tree(server_path($name, SOURCE), [$file => "uploaded to $name"]);
        }
    }
}

function uploads_are_there(): void
{
    foreach (NAMES as $name) {
        foreach (UPLOADS as $file) {
            same(@file_get_contents(server_path($name, SOURCE . "/$file")), "uploaded to $name", "$file on $name");
        }
    }
}

test('uploads on a server survive a push', function () {
    source(small_site() + ['sites/shop.example/settings.php' => '1']);
    upload();
    pushed();
    uploads_are_there();
    pushed();
    uploads_are_there();
});

test('uploads survive when their site directory is empty at the hub', function () {
    source(small_site() + ['sites/shop.example/files/' => null, 'sites/shop.example/private/' => null]);
    upload();
    pushed();
    uploads_are_there();
});

test('uploads survive the push of their site alone', function () {
    source(['sites/shop.example/settings.php' => '1', 'sites/shop.example/themes/x' => '2']);
    upload();
    foreach (NAMES as $name) {
        tree(server_path($name, SOURCE), ['sites/shop.example/themes/stray' => 'x']);
    }
    pushed([], SOURCE . '/sites/shop.example');
    foreach (NAMES as $name) {
        check(!file_exists(server_path($name, SOURCE . '/sites/shop.example/themes/stray')), "a stray theme file was kept on $name");
        foreach (array_filter(UPLOADS, fn ($f) => str_contains($f, 'shop.example')) as $file) {
            check(file_exists(server_path($name, SOURCE . "/$file")), "$file is gone from $name");
        }
    }
});

test('uploads survive the push of the platforms directory', function () {
    source(small_site());
    upload();
    pushed([], PLATFORMS);
    uploads_are_there();
});

test('code in a directory called files inside a module is code', function () {
    source(['modules/media/files/a.php' => '1', 'modules/media/files/b.php' => '2', 'core/private/c.php' => '3']);
    pushed();
    unlink(SOURCE . '/modules/media/files/b.php');
    unlink(SOURCE . '/core/private/c.php');
    pushed();
    foreach (NAMES as $name) {
        check(file_exists(server_path($name, SOURCE . '/modules/media/files/a.php')), 'code was not shipped');
        check(!file_exists(server_path($name, SOURCE . '/modules/media/files/b.php')), 'code was not deleted in files');
        check(!file_exists(server_path($name, SOURCE . '/core/private/c.php')), 'code was not deleted in private');
    }
});

test('protect keeps what it names and nothing else', function () {
    source(small_site());
    foreach (NAMES as $name) {
        tree(server_path($name, SOURCE), ['cache/page' => 'x', 'modules/cache/x' => 'y', 'sites/default/files/a' => 'z', 'stray' => 's']);
    }
    pushed(['protect' => ['/cache']]);
    foreach (NAMES as $name) {
        check(file_exists(server_path($name, SOURCE . '/cache/page')), 'the protected file is gone');
        check(!file_exists(server_path($name, SOURCE . '/modules/cache')), 'a cache elsewhere was kept');
        check(!file_exists(server_path($name, SOURCE . '/stray')), 'a stray file was kept');
    }
});

test('delete off keeps everything', function () {
    source(small_site());
    foreach (NAMES as $name) {
        tree(server_path($name, SOURCE), ['stray/file' => 's']);
    }
    $report = pushed(['delete' => false]);
    foreach (NAMES as $name) {
        check(file_exists(server_path($name, SOURCE . '/stray/file')), 'the stray file is gone');
        same($report->servers[$name]->deleted, 0, 'deleted');
    }
});

finish();
