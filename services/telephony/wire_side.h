/* wire_side.h - what phones, pages, media and streams tell of legs.
 *
 * Threads: the control thread.
 */
#ifndef PL_TELEPHONY_WIRE_SIDE_H
#define PL_TELEPHONY_WIRE_SIDE_H

#include "services/telephony/switchboard.h"

sip_event_fn wire_side_on_sip; /* arg is the switchboard */
media_sink_t wire_side_media_sink(switchboard_t *board);
browser_sink_t wire_side_browser_sink(switchboard_t *board);
stream_sink_t wire_side_stream_sink(switchboard_t *board);
void wire_side_tick(switchboard_t *board); /* lets all legs feel the time */

#endif
