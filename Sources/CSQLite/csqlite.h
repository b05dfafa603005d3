#ifndef GATEHOUSE_CSQLITE_H
#define GATEHOUSE_CSQLITE_H

#include <sqlite3.h>

/* sqlite3_config is variadic. Without memory statistics, allocations of different connections share no lock. */
static inline int gatehouse_sqlite_configure(void) {
    int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return code == SQLITE_OK ? sqlite3_initialize() : code;
}

/* sqlite3_db_config is variadic. Closing the last connection then leaves the write-ahead log as it is. */
static inline int gatehouse_sqlite_keep_wal_on_close(sqlite3 * _Nonnull db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

/* sqlite3_db_config is variadic. A file that was tampered with cannot run SQL functions from its schema. */
static inline int gatehouse_sqlite_distrust_schema(sqlite3 * _Nonnull db) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
}

/* SQLITE_STATIC and SQLITE_TRANSIENT are casts, which Swift does not import. */
static inline int gatehouse_sqlite_bind_blob_borrowed(
    sqlite3_stmt * _Nonnull statement, int index, const void * _Nonnull bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_STATIC);
}

static inline int gatehouse_sqlite_bind_blob_copied(
    sqlite3_stmt * _Nonnull statement, int index, const void * _Nonnull bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

static inline int gatehouse_sqlite_bind_text_copied(
    sqlite3_stmt * _Nonnull statement, int index, const char * _Nonnull bytes, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, bytes, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int gatehouse_sqlite_bind_text_borrowed(
    sqlite3_stmt * _Nonnull statement, int index, const char * _Nonnull bytes, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, bytes, count, SQLITE_STATIC, SQLITE_UTF8);
}

#endif
