<?php

require dirname(__DIR__, 2) . '/php/vendor/autoload.php';
