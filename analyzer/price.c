/* SPDX-License-Identifier: MIT */
#include "analyzer/price.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

int price_parse(const char *text, int64_t *price, int *decimals)
{
  int64_t value = 0;
  int places = -1;
  size_t whole = 0;
  for (; *text != '\0'; text++) {
    if (*text == '.' && places < 0 && whole > 0) {
      places = 0;
      continue;
    }
    if (!isdigit((unsigned char)*text) || (places < 0 && ++whole > 12) ||
        (places >= 0 && ++places > 4))
      return -EINVAL;
    value = value * 10 + (*text - '0');
  }
  if (whole == 0 || places == 0)
    return -EINVAL;
  *decimals = places > 0 ? places : 0;
  for (int i = *decimals; i < 4; i++)
    value *= 10;
  *price = value;
  return 0;
}

int price_want(const struct tm_json_file *f, const json_t *object, const char *key,
               struct price *out, struct tm_error *err)
{
  static const char *const known[] = {"amount", "currency", NULL};
  const json_t *price = json_object_get(object, key);
  const char *amount = "";
  const char *currency = "";
  if (!json_is_object(price))
    return tm_json_refuse(f, object, key, err,
                          "\"%s\" is not an object with \"amount\" and \"currency\"", key);
  int rc = tm_json_known_keys(f, price, known, err);
  if (rc == 0)
    rc = tm_json_want_string(f, price, "amount", true, 20, &amount, err);
  if (rc == 0)
    rc = tm_json_want_string(f, price, "currency", true, 20, &currency, err);
  if (rc < 0)
    return rc;
  if (price_parse(amount, &out->amount, &out->decimals) < 0)
    return tm_json_refuse(f, price, "amount", err,
                          "\"amount\" is \"%s\", not a decimal such as \"1200000\" or \"4800.50\"",
                          amount);
  if (strlen(currency) != 3 || strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
    return tm_json_refuse(f, price, "currency", err, "\"%s\" is not a currency code of ISO 4217",
                          currency);
  memcpy(out->currency, currency, sizeof(out->currency));
  return 0;
}
