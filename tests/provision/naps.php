<?php

/**
 * @file
 * Prepended to every PHP of the laboratory where sleep() is disabled: writes down that it was started, and naps that were asked for,
 * which are not taken. Provision's tasks sleep for 5 seconds here and there.
 */

function _lab_tell($line) {
  @file_put_contents('/run/fleet/lab/naps', $line . "\n", FILE_APPEND | LOCK_EX);
}

function sleep($seconds) {
  _lab_tell("sleep $seconds");

  return 0;
}

_lab_tell('php');
