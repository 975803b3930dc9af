<?php

namespace Aegir\Scale\Provision;

use Aegir\Scale\Command\Engine;
use Aegir\Scale\Topology;

/**
 * Aegir's servers, as the extension wants them.
 *
 * The topology is made from Aegir's server aliases. The file of state()/topology.yml or of the environment variable
 * AEGIR_SCALE_TOPOLOGY may add what Aegir does not know of a server: the keys of its entry under "servers" that has the alias
 * without "@" as its name.
 */
final class Fleet
{
    /** The one group of a topology made here. */
    public const GROUP = 'aegir';
}
