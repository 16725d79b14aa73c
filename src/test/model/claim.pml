/*
 * The protocol of claim, lease, heartbeat, rescue, completion and guardian, for spin(1). One job; a database
 * with the only clock that counts; a worker that is slow, freezes, dies and loses what it asks and what it is
 * answered; and another one that is well and takes the job whenever it may. Time is in ticks. ./check runs it
 * and its broken variants.
 *
 * What it claims, as assertions:
 *   I6  no two processes of the job live at once             begin()
 *   I5  one claim starts one process                         begin()
 *   I4  an end is written by the attempt that is running     complete()
 *   I3  what is done stays done                              take()
 *   a lease that ran out is never renewed                    Worker(), when a heartbeat is answered
 */
#define LEASE 3
#define LAST 8           /* ticks that are looked at */
#define CLAIMS 3
#define BIRTHS 2         /* of the worker: its incarnations are 1 to BIRTHS */
#define NOBODY 0
#define THE_OTHER 9

mtype = { queued, running, done, nothing, sent, answered };

byte now = 1;

/* The database. */
mtype state = queued;
byte token, owner = NOBODY;
byte beaten[3];          /* by incarnation: when its last heartbeat was written; 0 is never */
bool live[3];

/* What the worker knows. */
byte births, incarnation = NOBODY;
byte deadline;           /* none of its processes lives any more at this tick */
byte result;             /* of a process that has ended: its token; 0 is none */
bool frozen;

/* A statement under way, one of a kind. */
mtype beat = nothing, ask = nothing;
byte beat_as, beat_sent, ask_as, ask_token;
bool birth;              /* the beat under way is the first of its incarnation */
byte end_token;          /* 0 is none */

/* The commands, of the worker and of the other one. */
byte process, others_process;
bool started[4];         /* by token */

#ifdef WALL_CLOCK        /* the worker stamps its heartbeats, with a clock that is slow */
#define STAMP (now > 2 -> now - 2 : now)
#else
#define STAMP now
#endif

#ifdef NO_RESCUE_GUARD   /* given up before its lease is over */
#define SILENT (now > beaten[owner])
#else
#define SILENT (now > beaten[owner] + LEASE)
#endif

#ifdef DEADLINE_FROM_ANSWER
#define DEADLINE (now + LEASE)
#else
#define DEADLINE (beat_sent + LEASE)
#endif

#ifdef LATE_ANSWER       /* whatever the clock says when the answer is read, frozen or not meanwhile */
#define IN_TIME true
#else
#define IN_TIME HOLDS
#endif

/* Whether somebody is there to end its process in time: the guardian always, the server only while it can. */
#ifdef NO_GUARDIAN
#define OVERDUE (process != 0 && now + 1 >= deadline && !frozen && incarnation != NOBODY)
#else
#define OVERDUE (process != 0 && now + 1 >= deadline)
#endif

#define HOLDS (incarnation != NOBODY && now + 1 < deadline)

/* What nobody will read again is zero, or the same state would count as many. */
inline no_beat() { beat = nothing; beat_as = 0; beat_sent = 0; birth = false }
inline no_ask() { ask = nothing; ask_as = 0; ask_token = 0 }

/* Killed or by itself: the worker, if it lives, learns of the end and writes it, under the fence. */
inline end() {
  if
  :: process != 0 -> result = process; process = 0
  :: else -> skip
  fi
}

inline begin(which, under) {
  assert(!started[under]);
  assert(process == 0 && others_process == 0);
  started[under] = true;
  which = under
}

inline take(incarnated) {
  assert(state != done);
  token++; state = running; owner = incarnated
}

/* The database hears a heartbeat; the first one is a birth. */
inline heartbeat() {
  if
  :: beaten[beat_as] == 0 -> live[beat_as] = true; beaten[beat_as] = STAMP
  :: live[beat_as] -> beaten[beat_as] = STAMP
  :: else -> skip        /* given up: what is lost stays lost */
  fi;
  beat = answered
}

/* The database hears a claim, or the question for claims whose answers did not come. */
inline claim() {
  ask_token = 0;
  if
  :: state == queued && live[ask_as] && token < CLAIMS -> take(ask_as); ask_token = token
#ifdef BY_NAME           /* a worker takes for its own what an earlier one of its name holds */
  :: state == running && owner != THE_OTHER -> ask_token = token
#else
  :: state == running && owner == ask_as -> ask_token = token
#endif
  :: else -> skip
  fi;
  ask = answered
}

inline complete(under) {
  if
#ifdef NO_TOKEN          /* fenced by the state alone */
  :: state == running ->
#else
  :: state == running && token == under ->
#endif
       assert(token == under);
       state = done; owner = NOBODY
  :: else -> skip
  fi
}

active proctype Worker() {
  do
  :: atomic { (!frozen && beat == nothing && incarnation == NOBODY && births < BIRTHS) ->
       births++; beat_as = births; beat_sent = now; beat = sent; birth = true }
  :: atomic { (!frozen && beat == nothing && HOLDS) ->
       beat_as = incarnation; beat_sent = now; beat = sent }
  :: atomic { (!frozen && beat == answered) ->
       if
       :: live[beat_as] && (birth || (incarnation == beat_as && IN_TIME)) ->
            assert(birth || HOLDS);
            deadline = DEADLINE; incarnation = beat_as
       :: else -> incarnation = NOBODY; end()
       fi;
       no_beat() }
  :: atomic { (!frozen && incarnation != NOBODY && !HOLDS) -> incarnation = NOBODY; end() }

  :: atomic { (!frozen && HOLDS && ask == nothing && process == 0 && result == 0 && end_token == 0) ->
       ask_as = incarnation; ask = sent }
  :: atomic { (!frozen && ask == answered) ->
       if
       :: ask_token != 0 && ask_as == incarnation && HOLDS -> begin(process, ask_token)
       :: else -> skip
       fi;
       no_ask() }
  :: atomic { (!frozen && result != 0 && end_token == 0) -> end_token = result; result = 0 }

  /* Freeze, thaw, and kill -9 with another start, that knows nothing of what was. */
  :: atomic { (!frozen && births > 0) -> frozen = true }
  :: atomic { frozen -> frozen = false }
  :: atomic { (births > 0 && births < BIRTHS) ->
       frozen = false; incarnation = NOBODY; result = 0; no_beat(); no_ask();
#ifndef NO_GUARDIAN
       process = 0
#endif
     }
  :: now == LAST -> break
  od
}

active proctype TheOther() {
  do
  :: atomic { (state == queued && token < CLAIMS && others_process == 0) ->
       take(THE_OTHER); begin(others_process, token) }
  :: atomic { others_process != 0 -> complete(others_process); others_process = 0 }
  :: now == LAST -> break
  od
}

/* The database does one thing at a time, whenever it pleases; the network loses things. */
active proctype Database() {
  do
  :: atomic { beat == sent -> heartbeat() }
  :: atomic { ask == sent -> claim() }
  :: atomic { end_token != 0 -> complete(end_token); end_token = 0 }
  :: atomic { (state == running && owner != THE_OTHER && live[owner] && SILENT) -> live[owner] = false }
  :: atomic { (state == running && owner != THE_OTHER && !live[owner]) -> state = queued; owner = NOBODY }
  :: atomic { beat != nothing -> no_beat() }
  :: atomic { ask == answered -> no_ask() }
  :: now == LAST -> break
  od
}

/* The worker's command may end at any time, by itself or killed, also while its server is frozen. */
active proctype Command() {
  do
  :: atomic { process != 0 -> end() }
  :: now == LAST -> break
  od
}

/* Time does not pass over a process that somebody is there to end. */
active proctype Clock() {
  do
  :: atomic { (now < LAST && !OVERDUE) -> now++ }
  :: now == LAST -> break
  od
}
