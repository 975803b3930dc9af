<?php

namespace Aegir\Scale\Command;

/** What was typed makes no sense; the message says what would. */
final class UsageException extends \Exception
{
}
