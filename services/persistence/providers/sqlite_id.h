/* sqlite_id.h - what tells a file of the SQLite provider from anybody's database: its application_id. */
#ifndef PERSISTENCE_PROVIDERS_SQLITE_ID_H
#define PERSISTENCE_PROVIDERS_SQLITE_ID_H

enum { SQLITE_APPLICATION_ID = 0x504c5953 }; /* "PLYS" */

#endif
