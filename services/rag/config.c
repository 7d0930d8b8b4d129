#include "services/rag/config.h"

#include <stddef.h>

#define EMBEDDINGS "rag.embeddings."
#define TEXT(key, fallback, help)                                                                  \
    {                                                                                              \
        EMBEDDINGS key, PL_CONFIG_STRING, fallback, 0, 0, help                                     \
    }
#define NUMBER(key, fallback, min, max, help)                                                      \
    {                                                                                              \
        EMBEDDINGS key, PL_CONFIG_INT, fallback, min, max, help                                    \
    }

const pl_config_key_t rag_config_keys[] = {
    {"rag.folder", PL_CONFIG_STRING, "examples/knowledge", 0, 0,
     "the knowledge base: a folder of documents"},
    {"rag.library", PL_CONFIG_STRING, "data/library", 0, 0,
     "what parley ingest brings is kept here; one for each instance"},
    {"rag.ingest_max_bytes", PL_CONFIG_INT, "4294967296", 1048576, 1e15,
     "of one ingestion; more is refused"},
    {"rag.index_file", PL_CONFIG_STRING, "data/knowledge.db", 0, 0,
     "its index, made anew when absent; one for each instance"},
    {"rag.top_n_documents", PL_CONFIG_INT, "5", 1, 50, "passages found, where a query names none"},
    {"rag.strictness", PL_CONFIG_DOUBLE, "2", 0, 5,
     "least score of a passage, where a query leaves it to us"},
    {"rag.expansion_n_messages", PL_CONFIG_INT, "10", 1, 32,
     "texts of a query that are searched for, newest first; its question is one"},
    {"rag.cache_entries", PL_CONFIG_INT, "4096", 1, 1000000,
     "answers kept, a day at most, until the index changes"},
    TEXT("endpoint", "", "base URL, like https://api.openai.com/v1; empty: words alone"),
    TEXT("api", "openai", "openai, or azure: deployment paths with api_version"),
    TEXT("model", "", "name of the model, or of Azure's deployment"),
    TEXT("auth", "auto", "none, bearer, api-key, entra; auto: by api and api_key"),
    TEXT("api_key", "", "secret of bearer and api-key"),
    TEXT("api_version", "2024-10-21", "of Azure's API"),
    TEXT("encoding_format", "base64", "of vectors in answers: base64, or float"),
    TEXT("query_prefix", "", "put before a question, for models that want it"),
    TEXT("passage_prefix", "", "put before a passage, for models that want it"),
    NUMBER("dimensions", "0", 0, 4096, "asked for; 0: the model's own"),
    NUMBER("batch", "64", 1, 256, "passages of a request"),
    NUMBER("parallel", "2", 1, 16, "requests for passages at once"),
    NUMBER("timeout_ms", "30000", 100, 600000, "for a request"),
    NUMBER("query_timeout_ms", "400", 1, 60000, "a search waits so long, then words alone find"),
    {EMBEDDINGS "trust_given_vectors", PL_CONFIG_BOOL, "false", 0, 0,
     "take the vectors that documents bring: they are of this model"},
    {EMBEDDINGS "similarity_low", PL_CONFIG_DOUBLE, "0.15", -1, 0.99,
     "cosine of question and passage that scores 0"},
    {EMBEDDINGS "similarity_high", PL_CONFIG_DOUBLE, "0.65", -0.99, 1, "and the one that scores 5"},
    {"rag.rescan_s", PL_CONFIG_INT, "30", 1, 86400,
     "the folder is looked through at least this often"},
    {"rag.max_file_bytes", PL_CONFIG_INT, "33554432", 1024, 1073741824, "larger files are skipped"},
    {"rag.pdf_timeout_ms", PL_CONFIG_INT, "30000", 100, 3600000,
     "a PDF that takes longer to read is skipped"},
    {"rag.queue_max", PL_CONFIG_INT, "256", 1, 100000,
     "searches waiting at once; more are refused as BUSY"},
    {NULL, PL_CONFIG_STRING, NULL, 0, 0, NULL},
};
