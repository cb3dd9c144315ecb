/* SPDX-License-Identifier: MIT */
#ifndef TM_FACTORY_H
#define TM_FACTORY_H

#include "common/conf.h"
#include "common/error.h"
#include "exporters/tryton/writer.h"

/* The ERP that answers for the factory: the target of type tryton with the purpose factory. */
struct factory {
  const struct tm_conf_target *target;
  struct writer writer;
};

/* name: NULL for the only one. -EINVAL where there is none, or several. Connects nowhere; close it
 * in either case. */
int factory_open(struct factory *f, const struct tm_conf *conf, const char *name,
                 struct tm_error *err);
void factory_close(struct factory *f);

/* The exit status that fits an error of tryton_call() and what is built upon it. */
int factory_status(int code);

#endif
