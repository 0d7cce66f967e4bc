/*
 * The contract between bobbin-init and the JVM, and the format of a journal. Java mirrors every name here
 * (Wire.java, JournalFormat.java); a test reads this header and compares.
 *
 * All integers are little-endian. A frame is a header of FRAME_HEADER bytes (u32 length of what follows, u16 type,
 * u8 protocol, u8 zero) and then fields, each with a header of FIELD_HEADER bytes (u16 tag, u16 zero, u32 length) and its
 * value. A field of unknown tag is skipped; a frame of unknown type, a length past its container, or a missing field
 * is an error of the sender: the connection is closed.
 *
 * Values: u32 and u64 are 4 and 8 bytes; text is UTF-8 without NUL at the end.
 */
#ifndef BOBBIN_FRAME_H
#define BOBBIN_FRAME_H

/*
 * Each frame says its sender's. A server may meet an init of an earlier build, which goes on with its sandboxes: it
 * answers in what the other spoke, and before it has heard anything speaks PROTOCOL_OLDEST. 1 had no sandboxes that last:
 * of frames to PID 1 only ORDER, CANCEL, CONSUMED, STDIN, RECORDED and SIGNAL.
 */
#ifndef PROTOCOL
#define PROTOCOL 2
#endif
#define PROTOCOL_OLDEST 1
#define FRAME_HEADER 8
#define FIELD_HEADER 8
#define FRAME_LONGEST 8388608

/* JVM to nursery, on <run-dir>/<nursery name>/control */
#define FRAME_SPAWN 1   /* ID, UID_BASE?, JOURNAL?, HOST_NETWORK?: make and park a sandbox; without UID_BASE the nursery
                           picks a free range. With JOURNAL it is one that lasts: its files are in <data-dir>/sandboxes/<id>/upper,
                           which is made if absent, the journal is ../journals/<JOURNAL>.journal, and its range of
                           user ids stays claimed when it is gone */
#define FRAME_DESTROY 2 /* ID: SIGKILL its PID 1, whatever state it is in */
#define FRAME_RETIRE 3  /* exit as soon as there is no sandbox, at once if there is none; what sandboxes leave is the
                           JVM's to remove from now on */
#define FRAME_KEEP 4    /* UID_BASE: claim this range for a sandbox that lasts and does not run */
#define FRAME_FREE 5    /* UID_BASE: the sandbox that lasts and had this range is no more */

/* nursery to JVM */
#define FRAME_SPAWNED 16 /* ID, PID (host's pid of PID 1), UID_BASE: PID 1 exists, its control socket accepts */
#define FRAME_REFUSED 17 /* ID, ERRNO, WHAT: nothing was left of the attempt */
#define FRAME_GONE 18    /* ID, STATUS (as wait reports it), LEFT?: PID 1 was reaped; its uid range is free again, if it did not
                            last. Its cgroups and its directory in <run-dir>/s are removed, unless LEFT says otherwise */

/*
 * JVM to PID 1, on <run-dir>/s/<id>/control. A sandbox has one process of its own, which the ORDER names, or none: then
 * it idles. One that lasts runs more, each of an EXEC frame and with a journal of its own. CANCEL, CONSUMED, STDIN,
 * RECORDED, SIGNAL, and what PID 1 tells, are about the process that their field EXEC names; without it, about the
 * sandbox's own and so about the sandbox. What names a process that is not known any more is passed over.
 */
#define FRAME_ORDER 32    /* everything about the job, see the fields; accepted once */
#define FRAME_CANCEL 33   /* BY: kill everything, end with REASON_CANCELLED */
#define FRAME_CONSUMED 34 /* POSITION: every attached reader has read the journal up to here (OUTPUT_BLOCK) */
#define FRAME_STDIN 35    /* POSITION (bytes of stdin before these), DATA?, LAST?: for STDIN_OPEN */
#define FRAME_RECORDED 36 /* the JVM has recorded the end: exit. For a parked sandbox: exit */
#define FRAME_SIGNAL 37   /* SIGNAL: to the process; of a sandbox that idles, to everything in it */
#define FRAME_EXEC 38     /* EXEC, JOURNAL and fields of an ORDER, those of mounts, limits of the sandbox and files left
                             out: run one more process. STATE_FAILED answers what cannot be begun */
#define FRAME_STOP 39     /* SIGNAL, GRACE_MILLIS, BY: as SIGNAL, and no EXEC from now on; if the sandbox has not ended
                             after GRACE_MILLIS, as CANCEL. One that idles ends with its last process */
#define FRAME_RESIZE 40   /* ROWS, COLUMNS: of a process with a terminal; its foreground gets SIGWINCH */

/* PID 1 to JVM */
#define FRAME_STATE 48 /* STATE, POSITION (end of journal), STDIN_TAKEN, ERRNO? WHAT? (STATE_FAILED), END? (STATE_ENDED:
                          the payload of the END record), EXECS? (so many STATEs of other processes follow). First on
                          every connection, once parking is done; and once more if parking fails */
#define FRAME_GREW 49  /* POSITION (end of journal now), DATA?: the journal's bytes just before POSITION, raw records.
                          DATA is left out when larger than GREW_INLINE: read the file */
#define FRAME_STDIN_TAKEN 50 /* POSITION: bytes of stdin taken so far, including buffered ones */

#define GREW_INLINE 16384

/*
 * A PID 1 that has read so much output leaves the cgroup of the supervising processes for BULK beside it, which has no
 * more of the processor than one job: pumping one job's gigabytes must not come before the start of another.
 */
#define BULK_BYTES 8388608

#define FIELD_ID 1       /* text: the sandbox id, 36 characters */
#define FIELD_PID 2      /* u32 */
#define FIELD_UID_BASE 3 /* u32: first of 65,536 ids */
#define FIELD_ERRNO 4    /* u32 */
#define FIELD_WHAT 5     /* text: what was tried, on what */
#define FIELD_STATUS 6   /* u32 */
#define FIELD_BY 7       /* text */
#define FIELD_POSITION 8 /* u64 */
#define FIELD_DATA 9     /* bytes */
#define FIELD_LAST 10    /* empty: stdin ends after this */
#define FIELD_STATE 11   /* u32: STATE_… */
#define FIELD_END 12     /* bytes: fields of an END record */
#define FIELD_SIGNAL 13  /* u32 */
#define FIELD_STDIN_TAKEN 14 /* u64 */
#define FIELD_LEFT 15        /* empty: what PID 1 did not live to tell may be read there, or a process is still exiting */
#define FIELD_EXEC 16        /* text: a process's id, 36 characters, one of the caller's choice */
#define FIELD_JOURNAL 17     /* text: the name of a journal without its suffix, 36 characters */
#define FIELD_GRACE_MILLIS 18 /* u64 */
#define FIELD_EXECS 19       /* u32 */
#define FIELD_ROWS 20        /* u32, at most 65535, of a terminal */
#define FIELD_COLUMNS 21     /* u32, likewise. Both in an ORDER or EXEC: a terminal in place of pipes; what it shows is
                                STDOUT */
#define FIELD_TERMINAL 22    /* u32: of PID 1 to the parked process: one more than the number of its terminal */
#define FIELD_HOST_NETWORK 23 /* empty: the sandbox has the machine's own network */

/* fields of an ORDER; (n) may repeat, order matters */
#define FIELD_META 32          /* bytes: written as the journal's META record, never interpreted by the init */
#define FIELD_ARGUMENT 33      /* text (n), at least one unless LASTING; the first is searched for in PATH of the environment */
#define FIELD_ENVIRONMENT 34   /* text NAME=VALUE (n) */
#define FIELD_WORKDIR 35       /* text: absolute; created if absent, owned by the job's user */
#define FIELD_UID 36           /* u32, as seen inside, below 65536 */
#define FIELD_GID 37           /* u32, as seen inside */
#define FIELD_GROUP 38         /* u32 (n): supplementary */
#define FIELD_HOSTNAME 39      /* text */
#define FIELD_LAYER 40         /* text (n): directory below the store, no "/" at its start, no "..", topmost first */
#define FIELD_HOST_TREES 41    /* empty: mount the machine's own trees (--host-tree of the nursery) read-only */
#define FIELD_DISK_BYTES 42    /* u64: size of the upper's tmpfs */
#define FIELD_DISK_INODES 43   /* u64 */
#define FIELD_CGROUP_WRITE 44  /* text (n): KIND "\n" file "\n" value; KIND as in --cgroup, or as in --spare-cgroup,
                                  where the job then gets one; one made so holds the job once all are written */
#define FIELD_CGROUP_READ 45   /* text (n): KIND "\n" file: its content goes into the END record as EVIDENCE */
#define FIELD_TIME_MILLIS 46   /* u64: wall time from exec */
#define FIELD_OUTPUT_BYTES 47  /* u64: limit of stdout and stderr together */
#define FIELD_OUTPUT_POLICY 48 /* u32: OUTPUT_… */
#define FIELD_STDIN_POLICY 49  /* u32: STDIN_…; with STDIN_BYTES the bytes are in FIELD_DATA */
#define FIELD_FILE 50          /* bytes (n): u32 mode, u32 length of path, path (relative to workdir), content */
#define FIELD_ORPHAN_MILLIS 51 /* u64: end with REASON_ORPHANED when no JVM was connected for so long; absent: never */
#define FIELD_RLIMIT 52        /* u32 resource, u64 soft, u64 hard (n); without one: 1,024 open files, no core dumps */
#define FIELD_LASTING 53       /* empty: EXEC will be accepted; only for a sandbox that was spawned to last */
#define FIELD_FILES 54         /* empty: of an EXEC: no program, the ARGUMENTs are work on files (files.c) */
#define FIELD_CAPABILITIES 55  /* u64, a bit for each: what the process may have besides what every job has; also of an EXEC */
#define FIELD_NEW_PRIVILEGES 56 /* empty: it is without no_new_privs, so that programs may gain what it has not; also of an EXEC */
#define FIELD_OWN_NETWORK 57   /* empty: its network is the user namespace's, so that capabilities over networks count there; not
                                  with HOST_NETWORK */
/*
 * bytes (n), at most 32, in the order in which they are mounted: u32 MOUNT_… kind, u32 flags, u64 size of a tmpfs, then three
 * texts, each with a NUL at its end: base, source, target. Of a volume the source is its id, of a bind a path without "/"
 * at its start that is looked for beneath the directory `base` of the machine; the target is a path in the root.
 */
#define FIELD_MOUNT 58
/* empty: what a sandbox that lasts writes need not outlive the machine, so nothing waits for the disk when it ends */
#define FIELD_VOLATILE 24
/*
 * 4 bytes address, 4 bytes gateway, as they are sent: eth0, which somebody has put into the sandbox's network, gets this
 * address and leads everything else to that gateway.
 */
#define FIELD_NETWORK 59
#define FIELD_HOSTS 60     /* text: of /etc/hosts, in place of what the image has there */
#define FIELD_RESOLVERS 61 /* text: of /etc/resolv.conf, likewise */
#define FIELD_FILTER 62    /* bytes: a system-call filter, of instructions of 8 bytes each. The process loads it last, on top of
                              the one that all have, so that both hold; also of an EXEC */
#define FIELD_SYSCTL 63    /* text NAME=VALUE (n): of the sandbox's own namespaces, the name with dots */

#define MOUNT_VOLUME 1
#define MOUNT_BIND 2 /* only from a nursery with --binds */
#define MOUNT_TMPFS 3

#define MOUNT_READ_ONLY 1 /* a flag */

#define STATE_PARKED 1
#define STATE_RUNNING 2
#define STATE_ENDED 3
#define STATE_FAILED 4 /* parking failed; PID 1 exits by itself after sending this */

/*
 * What happens at OUTPUT_BYTES. Under BLOCK and DROP the journal takes about so much of the disk and not more: what is
 * oldest is let go of, under BLOCK only when every reader has it.
 */
#define OUTPUT_BLOCK 1 /* stop reading the program's output while so much of it lies behind the last CONSUMED */
#define OUTPUT_KILL 2  /* end with REASON_OUTPUT */
#define OUTPUT_DROP 3

#define STDIN_EMPTY 1
#define STDIN_BYTES 2
#define STDIN_OPEN 3

/*
 * A journal: JOURNAL_HEADER bytes (JOURNAL_MAGIC, u32 JOURNAL_VERSION, u32 zero), then records, each with a header of
 * RECORD_HEADER bytes: u32 length of the data, u8 kind, 3 bytes zero, u64 wall clock in nanoseconds since 1970,
 * u64 bytes of this stream before these (0 for other kinds); then the data. Positions are offsets in this file.
 * The file is append-only but for the data of its GAP record; its last record is END. Version 1 had no GAP, version 2 no
 * PROGRESS.
 */
#define JOURNAL_MAGIC "BOBBINJ\n"
#define JOURNAL_VERSION 3
#define JOURNAL_HEADER 16
#define RECORD_HEADER 24
#define RECORD_LONGEST 65536 /* of STDOUT and STDERR; META and END may be longer, up to FRAME_LONGEST */

#define RECORD_META 1    /* FIELD_META as it came; first */
#define RECORD_STARTED 2 /* fields STAMP_SANDBOX, STAMP_EXEC: execve succeeded */
#define RECORD_STDOUT 3
#define RECORD_STDERR 4
#define RECORD_END 5 /* fields below */
/*
 * Second, if the order has OUTPUT_BYTES and a policy other than KILL: u64 FROM, u64 LOW. The records between these two
 * positions are gone and read as zeros; 0 and 0 while there are none. LOW is written before the space is freed, so what
 * was read at a position is good if LOW, read afterwards, is not past that position. How many bytes of which stream are
 * missing follows from the next record of that stream, or from END.
 */
#define RECORD_GAP 6
#define RECORD_PROGRESS 7 /* fields PROGRESS_…; only in journals that the JVM writes, of builds */

/* fields of a STARTED and an END record; stamps are u64 nanoseconds of CLOCK_MONOTONIC */
#define FIELD_STAMP_SANDBOX 64 /* mounts done, before the go to the job's process */
#define FIELD_STAMP_EXEC 65
#define FIELD_STAMP_END 66      /* the main process was reaped */
#define FIELD_REASON 67         /* u32: REASON_… */
#define FIELD_STDOUT_BYTES 68   /* u64 */
#define FIELD_STDOUT_CRC32C 69  /* u32 */
#define FIELD_STDERR_BYTES 70   /* u64 */
#define FIELD_STDERR_CRC32C 71  /* u32 */
#define FIELD_USER_MICROS 72    /* u64, of all descendants */
#define FIELD_SYSTEM_MICROS 73  /* u64 */
#define FIELD_EVIDENCE 74       /* text (n): KIND "\n" file "\n" content; absent if it could not be read */
#define FIELD_DISK_USED_BYTES 75  /* u64: files in the job's root at its end */
#define FIELD_DISK_USED_INODES 76 /* u64 */
#define FIELD_DROPPED_BYTES 77    /* u64: of both streams, let go of by OUTPUT_DROP or OUTPUT_BLOCK; absent: none */
#define FIELD_SIGNALLED 78        /* u32: the last FRAME_SIGNAL; absent: none */
#define FIELD_STDIN_BYTES 79      /* u64: written into the pipe of the standard input; it may not have read them all */
#define FIELD_EVIDENCE_BEFORE 80  /* as EVIDENCE, read before an EXEC's process was made */
#define FIELD_PROGRESS_KIND 81    /* u32: of a PROGRESS record, as its writer numbers them */
#define FIELD_PROGRESS_STEP 82    /* text */
#define FIELD_PROGRESS_TEXT 83    /* text */
#define FIELD_PROGRESS_MILLIS 84  /* u64 */
/* also STATUS (if the main process was reaped), BY (REASON_CANCELLED), ERRNO and WHAT (REASON_SETUP, REASON_EXEC) */

#define REASON_EXITED 1    /* the main process ended by itself; STATUS says how */
#define REASON_TIME 2      /* FIELD_TIME_MILLIS passed */
#define REASON_OUTPUT 3    /* FIELD_OUTPUT_BYTES passed under OUTPUT_KILL */
#define REASON_CANCELLED 4 /* FRAME_CANCEL; BY */
#define REASON_ORPHANED 5  /* FIELD_ORPHAN_MILLIS passed */
#define REASON_EXEC 6      /* execve failed; ERRNO; a sentence was written to stderr's records; WHAT = the program */
#define REASON_SETUP 7     /* the order could not be carried out; ERRNO, WHAT; nothing of the job ran */
#define REASON_SANDBOX 8   /* its sandbox ended, and with it the process of an EXEC */

#endif
