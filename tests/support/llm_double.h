/* llm_double.h - for tests: a running llm-double of the same build, with a script and a log.
 *
 * Include after cmocka.h. See tests/doubles/llm/README.md for the script's format.
 */
#ifndef TESTS_SUPPORT_LLM_DOUBLE_H
#define TESTS_SUPPORT_LLM_DOUBLE_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LLM_DOUBLE_PATH_BYTES = 512, LLM_DOUBLE_UP_MS = 10000 };

typedef struct {
    char folder[64];
    pid_t pid; /* 0: not running */
    int port;
} llm_double_t;

static inline const char *llm_double_file(const llm_double_t *self, const char *name,
                                          char out[LLM_DOUBLE_PATH_BYTES])
{
    (void)snprintf(out, LLM_DOUBLE_PATH_BYTES, "%s/%s", self->folder, name);
    return out;
}

static inline void llm_double_binary(char out[LLM_DOUBLE_PATH_BYTES])
{
    char self[LLM_DOUBLE_PATH_BYTES / 2];
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(size > 0);
    self[size] = '\0';
    char *tests = strstr(self, "/tests/");
    assert_non_null(tests);
    *tests = '\0';
    (void)snprintf(out, LLM_DOUBLE_PATH_BYTES, "%s/bin/llm-double", self);
}

static inline int llm_double_read_port(const llm_double_t *self)
{
    char path[LLM_DOUBLE_PATH_BYTES];
    int port = 0;
    FILE *file = fopen(llm_double_file(self, "port", path), "re");
    if (!file) return 0;
    if (fscanf(file, "%d", &port) != 1) port = 0; /* NOLINT(cert-err34-c): our own number */
    (void)fclose(file);
    return port;
}

/* Starts it, at the port it had when it was stopped before. */
static inline void llm_double_run(llm_double_t *self)
{
    char binary[LLM_DOUBLE_PATH_BYTES];
    char script[LLM_DOUBLE_PATH_BYTES];
    char log[LLM_DOUBLE_PATH_BYTES];
    char port_file[LLM_DOUBLE_PATH_BYTES];
    char port[16];
    llm_double_binary(binary);
    (void)unlink(llm_double_file(self, "port", port_file));
    (void)snprintf(port, sizeof port, "%d", self->port);
    self->pid = fork();
    assert_true(self->pid >= 0);
    if (self->pid == 0) {
        if (!freopen("/dev/null", "w", stdout)) _exit(99);
        (void)execl(binary, binary, "--script", llm_double_file(self, "script.yaml", script),
                    "--log", llm_double_file(self, "log", log), "--port-file", port_file, "--port",
                    port, (char *)NULL);
        _exit(98);
    }
    for (int ms = 0; !llm_double_read_port(self); ms++) {
        assert_int_equal(waitpid(self->pid, NULL, WNOHANG), 0); /* it says why on standard error */
        assert_true(ms < LLM_DOUBLE_UP_MS);
        usleep(1000);
    }
    self->port = llm_double_read_port(self);
}

static inline llm_double_t llm_double_start(const char *script)
{
    llm_double_t self = {.folder = "/tmp/parley-llm-XXXXXX"};
    char path[LLM_DOUBLE_PATH_BYTES];
    assert_non_null(mkdtemp(self.folder));
    FILE *file = fopen(llm_double_file(&self, "script.yaml", path), "we");
    assert_non_null(file);
    assert_true(fputs(script, file) >= 0);
    assert_int_equal(fclose(file), 0);
    llm_double_run(&self);
    return self;
}

static inline void llm_double_halt(llm_double_t *self)
{
    int status = -1;
    if (!self->pid) return;
    assert_int_equal(kill(self->pid, SIGTERM), 0);
    assert_int_equal(waitpid(self->pid, &status, 0), self->pid);
    assert_int_equal(status, 0);
    self->pid = 0;
}

/* The log so far: a JSON object a line. The caller frees it. */
static inline char *llm_double_log(const llm_double_t *self)
{
    char path[LLM_DOUBLE_PATH_BYTES];
    char *text = calloc(1, 1);
    size_t size = 0;
    assert_non_null(text);
    FILE *file = fopen(llm_double_file(self, "log", path), "re");
    for (char block[4096]; file;) {
        size_t more = fread(block, 1, sizeof block, file);
        if (!more) break;
        text = realloc(text, size + more + 1);
        assert_non_null(text);
        memcpy(text + size, block, more);
        size += more;
        text[size] = '\0';
    }
    if (file) (void)fclose(file);
    return text;
}

/* How many lines of the log hold the text. */
static inline unsigned llm_double_count(const llm_double_t *self, const char *text)
{
    char *log = llm_double_log(self);
    unsigned count = 0;
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n")) {
        if (strstr(line, text)) count++;
    }
    free(log);
    return count;
}

static inline void llm_double_stop(llm_double_t *self)
{
    static const char *const files[] = {"script.yaml", "log", "port"};
    char path[LLM_DOUBLE_PATH_BYTES];
    llm_double_halt(self);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        (void)unlink(llm_double_file(self, files[i], path));
    }
    assert_int_equal(rmdir(self->folder), 0);
}

#endif
