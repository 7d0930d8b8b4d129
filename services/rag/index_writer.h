/* index_writer.h - the writer's file, for what else is read from it. */
#ifndef RAG_INDEX_WRITER_H
#define RAG_INDEX_WRITER_H

#include "services/rag/index.h"
#include "services/rag/index_file.h"

const index_file_t *index_writer_file(const index_writer_t *self);

#endif
