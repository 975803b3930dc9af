<?php

/** The peak of the memory that the processes of a control group have for themselves, in MB, once told to stop. php memory.php CGROUP STOPFILE */

$peak = 0;
do {
    $sum = 0;
    foreach (@file("$argv[1]/cgroup.procs", FILE_IGNORE_NEW_LINES) ?: [] as $pid) {
        $pages = explode(' ', (string) @file_get_contents("/proc/$pid/statm"));
        $sum += ((int) ($pages[1] ?? 0) - (int) ($pages[2] ?? 0)) * 4096;
    }
    $peak = max($peak, $sum);
    usleep(10000);
    clearstatcache();
} while (!file_exists($argv[2]));
printf("%.1f\n", $peak / 1e6);
