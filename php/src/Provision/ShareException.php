<?php

namespace Aegir\Scale\Provision;

/** The shared directory is not what it should be, or something in it went wrong. The message is one sentence. */
final class ShareException extends \RuntimeException
{
}
