<?php

namespace Aegir\Scale\Provision;

/** An option means something that the extension does not do: the call goes the stock way. The message names the option. */
final class NoMapping extends \Exception
{
}
