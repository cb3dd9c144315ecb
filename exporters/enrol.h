/* SPDX-License-Identifier: MIT */
#ifndef TM_ENROL_H
#define TM_ENROL_H

/*
 * Makes a target of the file that a vendor gave (contrib/schema/enrolment.schema.json): its block
 * in CONFIG.d/NAME.conf, token and secret in files of their own beside CONFIG, readable for the
 * group of CONFIG. Done again with new credentials, it replaces them; items that wait stay as they
 * are. Where CONFIG is not there yet, it is made. config NULL: the installed one.
 * Returns the exit status.
 */
int enrol_run(const char *config, const char *file);

#endif
