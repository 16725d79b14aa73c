/*
 * The protocol of claim, lease, heartbeat, rescue, completion and guardian, for spin(1): two workers, one
 * job, one database with the only clock that counts, a network that delays and loses, servers that
 * freeze and die. Time is in ticks. ./check runs it and its broken variants.
 *
 * What it claims, as assertions:
 *   I6  no two processes of the job live at once             begin()
 *   I5  one claim starts one process                         begin()
 *   I4  an end is written by the attempt that is running     complete()
 *   I3  what is done stays done                              claim()
 */
#define LEASE 2
#define LAST 6         /* ticks that are looked at */
#define CLAIMS 2
#define BIRTHS 2       /* of each worker */
#define NOBODY 255

mtype = { queued, running, done, nothing, sent, answered };

byte now = 1;

/* The database. An incarnation is its worker, and twice how often that was born. */
mtype state = queued;
byte token, owner = NOBODY;
byte beaten[6];        /* when its last heartbeat was written; 0 is never */
bool live[6];

/* What a server knows. */
byte births[2];
byte incarnation[2] = NOBODY;
byte deadline[2];      /* none of its processes lives any more at this tick */
byte result[2];        /* of a process that has ended: its token; 0 is none */
bool frozen[2];

/* A statement under way, one a kind and worker. */
mtype beat[2] = nothing, ask[2] = nothing;
byte beat_as[2], beat_sent[2], ask_as[2], ask_token[2];
byte end_token[2];     /* 0 is none */

/* The commands. */
byte process[2];       /* the token that it runs under; 0 is none */
bool started[3];       /* by token */

#ifdef WALL_CLOCK      /* the worker stamps its heartbeats, and the clock of one is slow */
#define STAMP(w) (w == 0 && now > 2 -> now - 2 : now)
#else
#define STAMP(w) now
#endif

#ifdef NO_RESCUE_GUARD /* given up before its lease is over */
#define SILENT(i) (now > beaten[i])
#else
#define SILENT(i) (now > beaten[i] + LEASE)
#endif

#ifdef DEADLINE_FROM_ANSWER
#define DEADLINE(w) (now + LEASE)
#else
#define DEADLINE(w) (beat_sent[w] + LEASE)
#endif

/* Whether somebody is there to end its process in time: the guardian always, a server only while it can. */
#ifdef NO_GUARDIAN
#define OVERDUE(w) (process[w] != 0 && now + 1 >= deadline[w] && !frozen[w] && incarnation[w] != NOBODY)
#else
#define OVERDUE(w) (process[w] != 0 && now + 1 >= deadline[w])
#endif

#define HOLDS(w) (incarnation[w] != NOBODY && now + 1 < deadline[w])

/* Killed or by itself: its server, if it lives, learns of the end and writes it, under the fence. */
inline end(w) {
  if
  :: process[w] != 0 -> result[w] = process[w]; process[w] = 0
  :: else -> skip
  fi
}

inline begin(w) {
  assert(!started[ask_token[w]]);
  assert(process[1 - w] == 0);
  started[ask_token[w]] = true;
  process[w] = ask_token[w]
}

/* What nobody will read again is zero, or the same state would count as many. */
inline no_beat(w) { beat[w] = nothing; beat_as[w] = 0; beat_sent[w] = 0 }
inline no_ask(w) { ask[w] = nothing; ask_as[w] = 0; ask_token[w] = 0 }

inline heartbeat(w) {
  if
  :: beaten[beat_as[w]] == 0 -> live[beat_as[w]] = true; beaten[beat_as[w]] = STAMP(w)
  :: live[beat_as[w]] -> beaten[beat_as[w]] = STAMP(w)
  :: else -> skip      /* given up: what is lost stays lost */
  fi;
  beat[w] = answered
}

inline heard(w) {
  if
  :: (live[beat_as[w]] == false) -> incarnation[w] = NOBODY; end(w)
  :: else -> deadline[w] = DEADLINE(w); incarnation[w] = beat_as[w]
  fi;
  no_beat(w)
}

/* A claim, or the look for one whose answer did not come. */
inline claim(w) {
  ask_token[w] = 0;
  if
  :: state == queued && live[ask_as[w]] && token < CLAIMS ->
       assert(state != done);
       token++; state = running; owner = ask_as[w]; ask_token[w] = token
#ifdef BY_NAME         /* a worker takes for its own what an earlier one of its name holds */
  :: state == running && owner % 2 == w -> ask_token[w] = token
#else
  :: state == running && owner == ask_as[w] -> ask_token[w] = token
#endif
  :: else -> skip
  fi;
  ask[w] = answered
}

inline complete(w) {
  if
#ifdef NO_TOKEN        /* fenced by the state alone */
  :: state == running ->
#else
  :: state == running && token == end_token[w] ->
#endif
       assert(token == end_token[w]);
       state = done; owner = NOBODY
  :: else -> skip
  fi;
  end_token[w] = 0
}

proctype Server(byte w) {
  do
  :: atomic { (!frozen[w] && beat[w] == nothing && incarnation[w] == NOBODY && births[w] < BIRTHS) ->
       births[w]++; beat_as[w] = w + 2 * births[w]; beat_sent[w] = now; beat[w] = sent }
  :: atomic { (!frozen[w] && beat[w] == nothing && HOLDS(w)) ->
       beat_as[w] = incarnation[w]; beat_sent[w] = now; beat[w] = sent }
  :: atomic { (!frozen[w] && beat[w] == answered) -> heard(w) }
  :: atomic { (!frozen[w] && incarnation[w] != NOBODY && !HOLDS(w)) ->
       incarnation[w] = NOBODY; end(w) }

  :: atomic { (!frozen[w] && HOLDS(w) && ask[w] == nothing && process[w] == 0 && result[w] == 0
       && end_token[w] == 0) -> ask_as[w] = incarnation[w]; ask[w] = sent }
  :: atomic { (!frozen[w] && ask[w] == answered) ->
       if
       :: ask_token[w] != 0 && ask_as[w] == incarnation[w] && HOLDS(w) -> begin(w)
       :: else -> skip
       fi;
       no_ask(w) }
  :: atomic { (!frozen[w] && result[w] != 0 && end_token[w] == 0) ->
       end_token[w] = result[w]; result[w] = 0 }

  /* Freeze, thaw, and kill -9 with another start, that knows nothing of what was. */
  :: atomic { (!frozen[w] && births[w] > 0) -> frozen[w] = true }
  :: atomic { frozen[w] -> frozen[w] = false }
  :: atomic { births[w] > 0 && births[w] < BIRTHS ->
       frozen[w] = false; incarnation[w] = NOBODY; result[w] = 0;
       no_beat(w); no_ask(w);
#ifndef NO_GUARDIAN
       process[w] = 0
#endif
     }
  :: now == LAST -> break
  od
}

/* The database does one thing at a time, and the network loses answers, and requests. */
active proctype Database() {
  do
  :: atomic { beat[0] == sent -> heartbeat(0) }
  :: atomic { beat[1] == sent -> heartbeat(1) }
  :: atomic { ask[0] == sent -> claim(0) }
  :: atomic { ask[1] == sent -> claim(1) }
  :: atomic { end_token[0] != 0 -> complete(0) }
  :: atomic { end_token[1] != 0 -> complete(1) }
  :: atomic { state == running && live[owner] && SILENT(owner) -> live[owner] = false }
  :: atomic { state == running && !live[owner] -> state = queued; owner = NOBODY }
  :: atomic { beat[0] != nothing -> no_beat(0) }
  :: atomic { beat[1] != nothing -> no_beat(1) }
  :: atomic { ask[0] == answered -> no_ask(0) }
  :: atomic { ask[1] == answered -> no_ask(1) }
  :: now == LAST -> break
  od
}

/* A command may end at any time, by itself or killed, also while its server is frozen. */
active proctype Commands() {
  do
  :: atomic { process[0] != 0 -> end(0) }
  :: atomic { process[1] != 0 -> end(1) }
  :: now == LAST -> break
  od
}

/* Time does not pass over a process that somebody is there to end. */
active proctype Clock() {
  do
  :: atomic { now < LAST && !OVERDUE(0) && !OVERDUE(1) -> now++ }
  :: now == LAST -> break
  od
}

init { atomic { run Server(0); run Server(1) } }
