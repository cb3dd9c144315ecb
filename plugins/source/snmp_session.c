/* SPDX-License-Identifier: MIT */
#include "plugins/source/snmp_session.h"

#include <net-snmp/net-snmp-config.h>
/* The order is net-snmp's own. */
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/large_fd_set.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define SPARE_DESCRIPTORS 128 /* for everybody else in the process */

struct pending {
  int number; /* 0: none */
  void *owner;
  agent_told *told;
  struct snmp_fetch *fetch;
};

struct agent {
  void *handle;
  int fd;
  bool v3;
  struct pending pending;
  netsnmp_large_fd_set set;
  char name[NI_MAXHOST + 16];
};

/* --- SNMPv3 ------------------------------------------------------------------------------- */

/* The library keeps users and engines of SNMPv3 in global lists without a lock. It is held during
 * calls that do not wait; answers are given to the engine within such a call, and the engine may
 * send the next request out of it. */
static pthread_mutex_t v3_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static bool v3_allowed;

static void lock(bool v3)
{
  if (v3)
    pthread_mutex_lock(&v3_lock);
}

static void unlock(bool v3)
{
  if (v3)
    pthread_mutex_unlock(&v3_lock);
}

void snmp_allow_v3(void)
{
  static const int off[] = {NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE,
                            NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD};
  if (v3_allowed)
    return;
  for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
    netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, off[i], 1);
  setenv("MIBS", "", 1);
  setenv("MIBDIRS", "", 1);
  init_snmp("tidemark");
  /* Without any handler the library would write to standard error: this one calls nobody. */
  snmp_disable_log();
  snmp_enable_calllog();
  v3_allowed = true;
}

bool snmp_v3_is_allowed(void)
{
  return v3_allowed;
}

int snmp_v3_check_user(const struct credential *user, struct tm_error *err)
{
  size_t len = 0;
  const char *what = NULL;
  if (user->auth != NULL && sc_get_auth_oid(usm_lookup_auth_type(user->auth), &len) == NULL)
    what = user->auth;
  if (user->privacy != NULL && sc_get_priv_oid(usm_lookup_priv_type(user->privacy), &len) == NULL)
    what = user->privacy;
  return what == NULL
             ? 0
             : tm_fail(err, -EINVAL, "%s:%u: device \"%s\": this system's libnetsnmp has no %s",
                       user->file, user->line, user->name, what);
}

static bool derive_key(const netsnmp_session *want, const char *pass, u_char *key, size_t *len)
{
  return generate_Ku(want->securityAuthProto, (u_int)want->securityAuthProtoLen,
                     (const u_char *)pass, strlen(pass), key, len) == SNMPERR_SUCCESS;
}

/* The strings stay the credential's until the session has copied them. */
static int set_user(netsnmp_session *want, const struct snmp_target *t, struct tm_error *err)
{
  const struct credential *c = t->user;
  bool known = true;
  int rc = snmp_v3_check_user(c, err);
  if (rc < 0)
    return rc;
  want->version = SNMP_VERSION_3;
  /* Its engine is found with the first request instead of by one that opening would wait for. */
  want->flags |= SNMP_FLAGS_DONT_PROBE;
  want->securityName = (char *)c->user;
  want->securityNameLen = strlen(c->user);
  want->contextName = (char *)(c->context != NULL ? c->context : "");
  want->contextNameLen = strlen(want->contextName);
  want->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  if (c->auth != NULL) {
    want->securityLevel = SNMP_SEC_LEVEL_AUTHNOPRIV;
    want->securityAuthProto =
        (oid *)sc_get_auth_oid(usm_lookup_auth_type(c->auth), &want->securityAuthProtoLen);
    want->securityAuthKeyLen = USM_AUTH_KU_LEN;
    known = derive_key(want, c->auth_password, want->securityAuthKey, &want->securityAuthKeyLen);
  }
  if (known && c->privacy != NULL) {
    want->securityLevel = SNMP_SEC_LEVEL_AUTHPRIV;
    want->securityPrivProto =
        (oid *)sc_get_priv_oid(usm_lookup_priv_type(c->privacy), &want->securityPrivProtoLen);
    want->securityPrivKeyLen = USM_PRIV_KU_LEN;
    known = derive_key(want, c->privacy_password != NULL ? c->privacy_password : c->auth_password,
                       want->securityPrivKey, &want->securityPrivKeyLen);
  }
  return known ? 0
               : tm_fail(err, -EINVAL, "%s:%u: device \"%s\": no key can be made of the password",
                         c->file, c->line, c->name);
}

/* --- values ------------------------------------------------------------------------------- */

/* A string that is copied with a NUL behind it by the rows; an identity as dotted text. */
static bool take_bytes(const netsnmp_variable_list *v, struct snmp_value *out, char *text,
                       size_t size)
{
  if (v->type == ASN_OCTET_STR) {
    *out = (struct snmp_value){
        .type = SNMP_STRING, .bytes = (const char *)v->val.string, .len = v->val_len};
    return v->val_len == 0 || v->val.string != NULL;
  }
  size_t len = v->val_len / sizeof(oid);
  uint32_t id[SNMP_ARCS];
  if (v->val_len % sizeof(oid) != 0 || len > SNMP_ARCS || v->val.objid == NULL)
    return false;
  for (size_t i = 0; i < len; i++)
    id[i] = (uint32_t)v->val.objid[i];
  oid_format(text, size, id, len);
  *out = (struct snmp_value){.type = SNMP_IDENTITY, .bytes = text, .len = strlen(text)};
  return true;
}

static bool take_long(const netsnmp_variable_list *v, struct snmp_value *out)
{
  if (v->val_len != sizeof(long) || v->val.integer == NULL)
    return false;
  if (v->type == ASN_INTEGER)
    *out = (struct snmp_value){.type = SNMP_INTEGER, .integer = (int32_t)*v->val.integer};
  else
    *out = (struct snmp_value){.type = SNMP_UNSIGNED, .number = (uint32_t)*v->val.integer};
  return true;
}

static bool take_wide(const netsnmp_variable_list *v, struct snmp_value *out)
{
  if (v->val_len != sizeof(struct counter64) || v->val.counter64 == NULL)
    return false;
  uint64_t number = (uint64_t)(v->val.counter64->high & 0xffffffffUL) << 32 |
                    (v->val.counter64->low & 0xffffffffUL);
  *out = (struct snmp_value){.type = SNMP_UNSIGNED, .number = number, .wide = true};
  return true;
}

static bool take_real(const netsnmp_variable_list *v, struct snmp_value *out)
{
  if (v->type == ASN_OPAQUE_FLOAT && v->val_len == sizeof(float) && v->val.floatVal != NULL)
    *out = (struct snmp_value){.type = SNMP_REAL, .real = (double)*v->val.floatVal};
  else if (v->type == ASN_OPAQUE_DOUBLE && v->val_len == sizeof(double) && v->val.doubleVal != NULL)
    *out = (struct snmp_value){.type = SNMP_REAL, .real = *v->val.doubleVal};
  else
    return false;
  return true;
}

/* False when there is no value, or one of a type or length that is not what it says. */
static bool take_value(const netsnmp_variable_list *v, struct snmp_value *out, char *text,
                       size_t size)
{
  switch (v->type) {
  case ASN_INTEGER:
  case ASN_COUNTER:
  case ASN_GAUGE:
  case ASN_TIMETICKS:
  case ASN_UINTEGER:
    return take_long(v, out);
  case ASN_COUNTER64:
  case ASN_OPAQUE_COUNTER64:
  case ASN_OPAQUE_U64:
    return take_wide(v, out);
  case ASN_OPAQUE_FLOAT:
  case ASN_OPAQUE_DOUBLE:
    return take_real(v, out);
  case ASN_OCTET_STR:
  case ASN_OBJECT_ID:
    return take_bytes(v, out, text, size);
  default:
    return false;
  }
}

static void give_variable(struct snmp_fetch *fetch, const netsnmp_variable_list *v)
{
  uint32_t id[SNMP_ARCS];
  char text[SNMP_OID_TEXT];
  struct snmp_value value;
  if (v->name == NULL || v->name_length == 0 || v->name_length > SNMP_ARCS)
    return;
  for (size_t i = 0; i < v->name_length; i++)
    id[i] = (uint32_t)v->name[i];
  bool told = take_value(v, &value, text, sizeof(text));
  snmp_fetch_variable(fetch, &(struct snmp_variable){.id = id,
                                                     .id_len = v->name_length,
                                                     .value = told ? &value : NULL,
                                                     .end = v->type == SNMP_ENDOFMIBVIEW});
}

static void give_answer(struct snmp_fetch *fetch, const netsnmp_pdu *pdu)
{
  if (pdu->errstat == SNMP_ERR_NOERROR)
    for (const netsnmp_variable_list *v = pdu->variables; v != NULL; v = v->next_variable)
      give_variable(fetch, v);
  snmp_fetch_end(fetch, pdu->errstat, pdu->errindex);
}

/* --- requests ------------------------------------------------------------------------------- */

static int answered(int operation, netsnmp_session *unused, int number, netsnmp_pdu *pdu,
                    void *magic)
{
  struct agent *s = magic;
  (void)unused;
  struct pending p = s->pending;
  if (p.number == 0 || p.number != number)
    return 1; /* one that was given up */
  s->pending = (struct pending){0};
  bool answer = operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE && pdu != NULL &&
                pdu->command == SNMP_MSG_RESPONSE;
  if (answer)
    give_answer(p.fetch, pdu);
  p.told(p.owner, answer);
  return 1; /* the request is over */
}

static netsnmp_pdu *make_pdu(const struct snmp_request *request)
{
  static const int commands[] = {SNMP_MSG_GET, SNMP_MSG_GETNEXT, SNMP_MSG_GETBULK};
  netsnmp_pdu *pdu = snmp_pdu_create(commands[request->ask]);
  if (pdu == NULL)
    return NULL;
  if (request->ask == SNMP_ASK_BULK) {
    pdu->non_repeaters = 0;
    pdu->max_repetitions = request->repetitions;
  }
  for (size_t i = 0; i < request->len; i++) {
    oid id[SNMP_ARCS];
    for (size_t k = 0; k < request->objects[i].id_len; k++)
      id[k] = request->objects[i].id[k];
    if (snmp_add_null_var(pdu, id, request->objects[i].id_len) == NULL) {
      snmp_free_pdu(pdu);
      return NULL;
    }
  }
  return pdu;
}

int agent_send(struct agent *s, const struct snmp_request *request, struct snmp_fetch *fetch,
               agent_told *told, void *owner, struct tm_error *err)
{
  s->pending = (struct pending){0};
  netsnmp_pdu *pdu = make_pdu(request);
  if (pdu == NULL)
    return tm_fail(err, -ENOMEM, "%s: %s", s->name, strerror(ENOMEM));
  lock(s->v3);
  int number = snmp_sess_async_send(s->handle, pdu, answered, s);
  unlock(s->v3);
  if (number == 0) {
    char *why = NULL;
    int library = 0;
    int system = 0;
    snmp_sess_error(s->handle, &library, &system, &why);
    tm_fail(err, system != 0 ? -system : -EIO, "%s: cannot send: %s", s->name,
            why != NULL ? why : "unknown error");
    free(why);
    snmp_free_pdu(pdu);
    return err != NULL ? err->code : -EIO;
  }
  s->pending = (struct pending){.number = number, .owner = owner, .told = told, .fetch = fetch};
  return 0;
}

void agent_forget(struct agent *s)
{
  s->pending = (struct pending){0};
}

void agent_receive(struct agent *s)
{
  netsnmp_large_fd_setfd(s->fd, &s->set);
  lock(s->v3);
  snmp_sess_read2(s->handle, &s->set);
  unlock(s->v3);
}

void agent_expire(struct agent *s)
{
  lock(s->v3);
  snmp_sess_timeout(s->handle);
  unlock(s->v3);
}

/* --- opening -------------------------------------------------------------------------------- */

void agent_prepare(void)
{
  netsnmp_session unused;
  snmp_sess_init(&unused);
}

/*
 * A thousand devices need more descriptors than the usual soft limit. It is raised only when they
 * do: other plugins of the daemon may still use select().
 */
static void make_room(int fd)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
      (rlim_t)fd + SPARE_DESCRIPTORS < limit.rlim_cur || limit.rlim_cur == limit.rlim_max)
    return;
  rlim_t wanted = limit.rlim_cur * 4;
  limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

struct agent *agent_open(const struct snmp_target *t, const char *address, struct tm_error *err)
{
  char peer[NI_MAXHOST + 32];
  snprintf(peer, sizeof(peer), strchr(address, ':') != NULL ? "udp6:[%s]:%u" : "udp:%s:%u", address,
           t->port);
  struct agent *s = calloc(1, sizeof(*s));
  if (s == NULL) {
    tm_fail(err, -ENOMEM, "%s: %s", t->host, strerror(ENOMEM));
    return NULL;
  }
  snprintf(s->name, sizeof(s->name), "%s:%u", t->host, t->port);
  netsnmp_session want;
  snmp_sess_init(&want);
  want.peername = peer;
  if (t->user != NULL) {
    s->v3 = true;
    if (set_user(&want, t, err) < 0) {
      agent_close(s);
      return NULL;
    }
  } else {
    want.version = t->v1 ? SNMP_VERSION_1 : SNMP_VERSION_2c;
    want.community = (u_char *)t->community;
    want.community_len = strlen(t->community);
  }
  want.retries = 0; /* the engine asks again itself, and for less */
  want.timeout = (long)((t->timeout_s > 0 ? t->timeout_s : 1) * 1e6);
  lock(s->v3);
  s->handle = snmp_sess_open(&want);
  unlock(s->v3);
  if (s->v3) {
    memset(want.securityAuthKey, 0, sizeof(want.securityAuthKey));
    memset(want.securityPrivKey, 0, sizeof(want.securityPrivKey));
  }
  netsnmp_transport *transport = s->handle != NULL ? snmp_sess_transport(s->handle) : NULL;
  if (transport == NULL) {
    tm_fail(err, -EIO, "%s: cannot open a session: %s", s->name,
            snmp_api_errstring(want.s_snmp_errno));
    agent_close(s);
    return NULL;
  }
  s->fd = transport->sock;
  make_room(s->fd);
  netsnmp_large_fd_set_init(&s->set, s->fd + 1);
  return s;
}

void agent_close(struct agent *s)
{
  if (s == NULL)
    return;
  /* Closing tells requests that are under way that they failed: nobody is to hear it. */
  agent_forget(s);
  lock(s->v3);
  if (s->handle != NULL)
    snmp_sess_close(s->handle);
  unlock(s->v3);
  netsnmp_large_fd_set_cleanup(&s->set);
  free(s);
}

int agent_fd(const struct agent *s)
{
  return s->fd;
}

const char *agent_name(const struct agent *s)
{
  return s->name;
}
