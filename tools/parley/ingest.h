/* ingest.h - parley ingest: documents into the knowledge base of every rag instance, over the
 * control bus.
 */
#ifndef PARLEY_INGEST_H
#define PARLEY_INGEST_H

int ingest_command(int argc, char **argv); /* what follows "ingest"; returns the exit status */

#endif
