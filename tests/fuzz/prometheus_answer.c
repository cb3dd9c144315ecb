/* SPDX-License-Identifier: MIT */
/* covers: analyzer/source/prometheus_answer.c */
/* What a server of Prometheus's API answers: samples, or the labels of series. */
#include "analyzer/source/prometheus_answer.h"
#include "analyzer/source/prometheus_name.h"

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct tm_error err = {0};
  struct prom_matrix m = {0};
  struct prom_owner owner;
  size_t i;
  json_t *labels;
  json_t *answer = prom_answer_data((const char *)data, size, 200, "input", &err);
  if (answer == NULL)
    return 0;
  /* Twice, as the answers for two stretches of time. */
  if (prom_matrix_add(&m, answer, "type", "input", &err) == 0)
    prom_matrix_add(&m, answer, "type", "input", &err);
  json_array_foreach(answer, i, labels)
  {
    prom_owner(&owner, labels);
  }
  prom_matrix_release(&m);
  json_decref(answer);
  return 0;
}
