/* SPDX-License-Identifier: MIT */
#include "contrib/desk/factory/factory.h"

int factory_new(struct factory **f, struct store *store, const struct desk_conf *conf,
                struct tm_error *err)
{
  return conf->factory.tryton ? factory_erp_new(f, store, conf, err)
                              : factory_own_new(f, store, err);
}

void factory_free(struct factory *f)
{
  if (f != NULL)
    f->ops->close(f);
}

int factory_answer(struct factory *f, const json_t *inquiry, int64_t now, json_t **answer,
                   json_t **from, struct tm_error *err)
{
  return f->ops->answer(f, inquiry, now, answer, from, err);
}
