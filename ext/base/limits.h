#ifndef AGS_BASE_LIMITS_H
#define AGS_BASE_LIMITS_H

/* Every ceiling of the engine, each with its reason. */

#define AGS_MAX_SERVERS        1024          /* four times the largest pack we were told of */
#define AGS_MAX_NAME           64            /* a server, cluster, pack, storage or balancer name */
#define AGS_MAX_PATH           4096          /* PATH_MAX; rsync takes no longer name either */
#define AGS_MAX_FRAME          0xffffffu     /* a multiplex header has 24 bits of length */
#define AGS_MAX_CHANGES        1000000u      /* itemised per server; the outcome does not depend on them */
#define AGS_MAX_REMOTE_TEXT    (64u << 10)   /* enough for an error page, not for a core dump */
#define AGS_MAX_MESSAGE        5120u         /* rsync's own bound on one message text */
#define AGS_MAX_STDERR         (512u << 10)  /* of a command, not yet read; twice what one turn of a session can bring */
#define AGS_MAX_SAID           (16u << 10)   /* kept of what the program ssh says: its configuration takes 5 KB */
#define AGS_MAX_COMMAND        32000u        /* bytes of a remote command: it travels in one SSH packet */
#define AGS_MAX_OUTPUT         (8u << 20)    /* output kept of one command on one server */
#define AGS_MAX_ENTRIES        50000000u     /* files in one list: 6 GB of ours, more than a receiver can hold */
#define AGS_MAX_RULES          10000u        /* filter rules of one call */
#define AGS_MAX_RULE           4096u         /* rsync's receivers take about 5119 bytes a rule */
#define AGS_MAX_LINK_DEST      20            /* rsync's own bound */
#define AGS_MAX_BLOCKS         (64u << 20)   /* a basis of 8 TB at the largest block */
#define AGS_MAX_BLOCK          131072u       /* the largest block rsync chooses */
#define AGS_MAX_SUMS           (64u << 20)   /* bytes of block sums kept for one receiver; more means whole files */
#define AGS_MAX_YAML           (1u << 20)    /* a topology of 1024 servers takes 100 KB */
#define AGS_MAX_YAML_DEPTH     16            /* a topology is 4 deep */
#define AGS_MAX_YAML_NODES     100000u       /* also after aliases are followed */
#define AGS_MAX_YAML_ANCHORS   1000u         /* they are looked up one by one */
#define AGS_MAX_PROBLEMS       1000u         /* complaints about one topology; nobody reads more */
#define AGS_MAX_KNOWN_HOSTS    (16u << 20)   /* a file of 100,000 keys */
#define AGS_MAX_OUTQ           (128u << 10)  /* high water of a session's output queue: more and a write waits */
#define AGS_MAX_HANDSHAKES     32            /* sessions in key exchange at once: sshd's MaxStartups, our CPU */
#define AGS_MAX_WAIT_MS        250           /* the longest sleep between two looks at the host's signals */

#endif
