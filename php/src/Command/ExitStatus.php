<?php

namespace Aegir\Scale\Command;

final class ExitStatus
{
    public const OK = 0;
    /** A server failed or differs; of topology-check: there are problems. */
    public const BAD = 1;
    /** The words, the topology or the source are wrong: no server was touched. */
    public const USAGE = 2;
    /** And the number of the signal that ended the call. */
    public const SIGNAL = 128;
}
