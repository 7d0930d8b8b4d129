#include "services/rag/config.h"

#include <stddef.h>

const pl_config_key_t rag_config_keys[] = {
    {"rag.folder", PL_CONFIG_STRING, "examples/knowledge", 0, 0,
     "the knowledge base: a folder of documents"},
    {"rag.index_file", PL_CONFIG_STRING, "data/knowledge.db", 0, 0,
     "its index, made anew when absent; one for each instance"},
    {"rag.top_n_documents", PL_CONFIG_INT, "5", 1, 50, "passages found, where a query names none"},
    {"rag.strictness", PL_CONFIG_DOUBLE, "2", 0, 5,
     "least score of a passage, where a query leaves it to us"},
    {"rag.expansion_n_messages", PL_CONFIG_INT, "10", 1, 32,
     "texts of a query that are searched for, newest first; its question is one"},
    {"rag.embeddings.similarity_low", PL_CONFIG_DOUBLE, "0.15", -1, 0.99,
     "cosine of question and passage that scores 0"},
    {"rag.embeddings.similarity_high", PL_CONFIG_DOUBLE, "0.65", -0.99, 1,
     "and the one that scores 5"},
    {"rag.rescan_s", PL_CONFIG_INT, "30", 1, 86400,
     "the folder is looked through at least this often"},
    {"rag.max_file_bytes", PL_CONFIG_INT, "33554432", 1024, 1073741824, "larger files are skipped"},
    {"rag.pdf_timeout_ms", PL_CONFIG_INT, "30000", 100, 3600000,
     "a PDF that takes longer to read is skipped"},
    {"rag.queue_max", PL_CONFIG_INT, "256", 1, 100000,
     "searches waiting at once; more are refused as BUSY"},
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};
