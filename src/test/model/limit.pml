/*
 * The limit of a queue, for spin(1): two workers claim jobs of one queue, of which at most LIMIT may run. A claim
 * locks the row of the queue, counts the rows of running jobs that are committed, takes a job and commits. A
 * worker can die at any step: before its commit nothing has happened; after it the job stays running, and counts,
 * until it is rescued. claim.pml shows that a rescue comes only after the processes of the dead worker have ended;
 * here that is the guard of the rescue. ./check runs this and its broken variants.
 *
 * What it claims, as assertions:
 *   L2  never more jobs are running than the limit             commit()
 *   L2  never more processes live than the limit               start()
 */
#define LIMIT 1
#define JOBS 3
#define WORKERS 2
#define NOBODY 0

mtype = { queued, running, done };

mtype state[JOBS] = queued;
byte owner[JOBS];            /* of the claim, a worker from 1 on */
bool lives[JOBS];            /* a process of the job */
byte lock = NOBODY;          /* who has locked the row of the queue */
bool dead[WORKERS + 1];
byte jobs_running, processes;

#ifdef RESCUE_FIRST          /* given up before its processes have ended */
#define MAY_RESCUE(j) (true)
#else
#define MAY_RESCUE(j) (!lives[j])
#endif

inline commit(j, who) {
  state[j] = running; owner[j] = who; jobs_running++;
  assert(jobs_running <= LIMIT)
}

inline start(j) {
  lives[j] = true; processes++;
  assert(processes <= LIMIT)
}

inline stop(j) {
  lives[j] = false; processes--
}

active [WORKERS] proctype Worker() {
  byte counted, job;
  do
  :: atomic { !dead[_pid + 1] -> counted = jobs_running }     /* the statement begins: its snapshot */
#ifndef NO_LOCK
     atomic { (lock == NOBODY) -> lock = _pid + 1 };
#endif
#ifndef OLD_SNAPSHOT         /* counted in the snapshot of the statement, which may be older than the lock */
#ifndef NO_LOCK
     counted = jobs_running;
#endif
#endif
     if
     :: atomic { counted < LIMIT ->
          job = 0;
          do
          :: job < JOBS && state[job] != queued -> job++
          :: else -> break
          od;
          if
          :: job < JOBS -> commit(job, _pid + 1)
          :: else -> skip
          fi;
          lock = (lock == _pid + 1 -> NOBODY : lock) }
     :: atomic { counted >= LIMIT -> job = JOBS; lock = (lock == _pid + 1 -> NOBODY : lock) }
     :: atomic { dead[_pid + 1] = true; lock = (lock == _pid + 1 -> NOBODY : lock); goto gone }
     fi;
     if
     :: job < JOBS ->
          if
          :: atomic { start(job) }
          :: atomic { dead[_pid + 1] = true; goto gone }      /* claimed and never started */
          fi;
          if
          :: atomic { stop(job); state[job] = done; jobs_running-- }
          :: atomic { dead[_pid + 1] = true; goto gone }      /* its guardian ends the process */
          fi
     :: else -> skip
     fi
  od;
gone:
  do
  :: atomic { job < JOBS && lives[job] && owner[job] == _pid + 1 -> stop(job) }
  :: else -> break
  od
}

active proctype Rescuer() {
  byte j;
end:
  do
  :: atomic { state[0] == running && dead[owner[0]] && MAY_RESCUE(0) -> state[0] = queued; jobs_running-- }
  :: atomic { state[1] == running && dead[owner[1]] && MAY_RESCUE(1) -> state[1] = queued; jobs_running-- }
  :: atomic { state[2] == running && dead[owner[2]] && MAY_RESCUE(2) -> state[2] = queued; jobs_running-- }
  od
}
