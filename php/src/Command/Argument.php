<?php

namespace Aegir\Scale\Command;

final readonly class Argument
{
    public function __construct(
        public string $name,
        public string $help,
        public bool $isRequired = true,
        /** It takes all words that are left. */
        public bool $isList = false,
    ) {
    }
}
