/* SPDX-License-Identifier: MIT */
#include "contrib/desk/store/pack.h"

#include "common/file.h"
#include "common/sign.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

static struct tm_buf sample;

static int read_sample(void **state)
{
  (void)state;
  sample = (struct tm_buf)TM_BUF_INIT(1 << 20);
  return tm_file_read("contrib/schema/samples/summary.json", &sample, NULL);
}

static int free_sample(void **state)
{
  (void)state;
  tm_buf_release(&sample);
  return 0;
}

static void assert_reads(const char *encoding, const void *data, size_t len, const char *bytes,
                         size_t size)
{
  struct tm_buf out = TM_BUF_INIT(8 << 20);
  struct tm_error err = {0};
  if (pack_read(&out, encoding, data, len, size, &err) < 0)
    fail_msg("%s: %s", encoding, err.text);
  assert_int_equal(out.len, size);
  assert_memory_equal(out.ptr, bytes, size);
  tm_buf_release(&out);
}

static void what_is_packed_is_small_and_comes_back_byte_for_byte(void **state)
{
  (void)state;
  struct tm_buf packed = TM_BUF_INIT(1 << 20);
  pack_bytes(&packed, sample.ptr, sample.len);
  assert_in_range(packed.len, 100, sample.len / 2);
  assert_reads(PACK_ZSTD, packed.ptr, packed.len, sample.ptr, sample.len);
  tm_buf_release(&packed);
}

static void what_does_not_get_smaller_is_left(void **state)
{
  (void)state;
  struct tm_buf packed = TM_BUF_INIT(1 << 20);
  pack_bytes(&packed, "x7", 2);
  assert_int_equal(packed.len, 0);
  assert_reads(PACK_PLAIN, "x7", 2, "x7", 2);
  tm_buf_release(&packed);
}

static void what_earlier_versions_kept_is_read(void **state)
{
  (void)state;
  static unsigned char deflated[65536];
  uLongf n = sizeof(deflated);
  assert_int_equal(compress(deflated, &n, (const Bytef *)sample.ptr, sample.len), Z_OK);
  assert_reads("deflate", deflated, n, sample.ptr, sample.len);
}

static void what_is_damaged_or_unknown_is_told(void **state)
{
  (void)state;
  struct tm_buf packed = TM_BUF_INIT(1 << 20), out = TM_BUF_INIT(8 << 20);
  struct tm_error err = {0};
  pack_bytes(&packed, sample.ptr, sample.len);
  static const char *const ways[] = {PACK_ZSTD, "deflate", PACK_PLAIN};
  for (size_t i = 0; i < 3; i++) {
    assert_int_equal(pack_read(&out, ways[i], "?", 1, sample.len, &err), -EIO);
    assert_int_equal(out.len, 0);
  }
  assert_int_equal(pack_read(&out, PACK_ZSTD, packed.ptr, packed.len / 2, sample.len, &err), -EIO);
  assert_int_equal(pack_read(&out, PACK_ZSTD, packed.ptr, packed.len, sample.len - 1, &err), -EIO);
  assert_int_equal(pack_read(&out, PACK_ZSTD, packed.ptr, packed.len, SIZE_MAX, &err), -EIO);
  assert_int_equal(pack_read(&out, "zstd-9", packed.ptr, packed.len, sample.len, &err), -EPROTO);
  assert_non_null(strstr(err.text, "zstd-9"));
  tm_buf_release(&packed);
  tm_buf_release(&out);
}

/* What is kept with it would be lost. */
static void the_dictionary_is_the_one_that_was_released(void **state)
{
  (void)state;
  struct tm_buf b = TM_BUF_INIT(1 << 20);
  char hash[TM_SHA256_HEX];
  assert_int_equal(tm_file_read("contrib/desk/store/dictionary-1.txt", &b, NULL), 0);
  assert_string_equal(tm_sha256_hex(hash, b.ptr, b.len),
                      "8033be1d79a15006bc3557b6bb897793a5785c2816fc7f26ff06a61a06447f2d");
  tm_buf_release(&b);
}

static void *pack_often(void *arg)
{
  (void)arg;
  for (int i = 0; i < 200; i++) {
    struct tm_buf packed = TM_BUF_INIT(1 << 20);
    pack_bytes(&packed, sample.ptr, sample.len - (size_t)i);
    assert_reads(PACK_ZSTD, packed.ptr, packed.len, sample.ptr, sample.len - (size_t)i);
    tm_buf_release(&packed);
  }
  return NULL;
}

static void threads_do_not_disturb_one_another(void **state)
{
  (void)state;
  pthread_t threads[4];
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, pack_often, NULL), 0);
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_packed_is_small_and_comes_back_byte_for_byte),
      cmocka_unit_test(what_does_not_get_smaller_is_left),
      cmocka_unit_test(what_earlier_versions_kept_is_read),
      cmocka_unit_test(what_is_damaged_or_unknown_is_told),
      cmocka_unit_test(the_dictionary_is_the_one_that_was_released),
      cmocka_unit_test(threads_do_not_disturb_one_another),
  };
  cmocka_set_message_output(CM_OUTPUT_TAP);
  return cmocka_run_group_tests_name("desk_pack", tests, read_sample, free_sample);
}
