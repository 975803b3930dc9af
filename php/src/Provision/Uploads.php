<?php

namespace Aegir\Scale\Provision;

/** Where what visitors upload is kept: the server option scale_uploads, or "uploads" of the cluster in the topology file. */
enum Uploads: string
{
    /** On the servers; a push never deletes it or puts an older file over it. */
    case Protect = 'protect';
    /** The same, and before a push or a backup what is new on any server is brought to this machine. The default of clusters. */
    case Gather = 'gather';
    /** In one directory that all servers and this machine have mounted; a site's two directories are links into it. */
    case Shared = 'shared';
}
