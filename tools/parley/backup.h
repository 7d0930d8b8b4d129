/* backup.h - parley backup: a copy of the SQLite store as it is at one moment, while the system goes on.
 *
 * Source: https://www.sqlite.org/backup.html, https://www.sqlite.org/isolation.html
 * Threads: the main one, which it blocks.
 */
#ifndef PARLEY_BACKUP_H
#define PARLEY_BACKUP_H

/* argv[0] is "backup". Returns the exit status. */
int backup_run(int argc, char **argv);

#endif
