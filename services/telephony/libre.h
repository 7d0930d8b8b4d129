/* libre.h - libre's headers, told what its build was told.
 *
 * re.h changes its types with these macros: without them bool becomes a char of its own and struct
 * sa loses IPv6. Include this, never <re.h>.
 */
#ifndef PL_TELEPHONY_LIBRE_H
#define PL_TELEPHONY_LIBRE_H

#ifndef HAVE_STDBOOL_H
#define HAVE_STDBOOL_H 1
#endif
#ifndef HAVE_INTTYPES_H
#define HAVE_INTTYPES_H 1
#endif
#ifndef HAVE_INET6
#define HAVE_INET6 1
#endif

#include <stdbool.h>
#include <stdint.h>

#define DEBUG_MODULE "parley"
#define DEBUG_LEVEL 0
#include <re.h>
#include <re_dbg.h>

#endif
