<?php

/**
 * Loads the classes of this directory where Composer does not, as inside Drush. Drush brings old Symfony classes of its
 * own, so what builds on Symfony (Aegir\Scale\Console) is not loaded from here.
 */

spl_autoload_register(static function (string $class): void {
    if (preg_match('/^Aegir\\\\Scale\\\\(Command|Provision|Report)\\\\(\w+)$/', $class, $name) === 1) {
        $file = __DIR__ . '/' . $name[1] . '/' . $name[2] . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
