--TEST--
phpinfo() answers what one asks first
--EXTENSIONS--
aegir_scale
--FILE--
<?php
ob_start();
phpinfo(INFO_MODULES);
$text = ob_get_clean();
$part = substr($text, strpos($text, "\naegir_scale\n") + 1);
$lines = explode("\n", $part);
echo implode("\n", array_slice($lines, 0, 10)), "\n";
var_dump("aegir_scale => " . phpversion('aegir_scale') === $lines[2]);
?>
--EXPECTREGEX--
aegir_scale

aegir_scale => \d+\.\d+\.\d+\S*
rsync protocols spoken => 30 to 32
libssh2 => .+
libyaml => \d+\.\d+.*
zstd => \d+\.\d+.*
xxHash => \d+\.\d+.*
limits of a call => .+
output kept of a command => 8 MiB
bool\(true\)
