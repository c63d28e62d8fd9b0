//! The stable codes of everything that can be wrong with a model.

macro_rules! codes {
    ($($code:ident $title:literal $explain:literal)*) => {
        /// A stable code: its number never changes its meaning, its text may improve.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// All codes in order.
            pub const ALL: &[Code] = &[$(Code::$code),*];

            /// Its word, such as `E104`.
            pub fn word(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// What is wrong, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            /// Why it is wrong and what to do, in a few sentences.
            pub fn explain(self) -> &'static str {
                match self { $(Code::$code => $explain,)* }
            }

            /// The code with this word.
            pub fn from_word(word: &str) -> Option<Code> {
                Code::ALL.iter().copied().find(|code| code.word() == word)
            }
        }
    };
}

codes! {
    E101 "not readable as one YAML document"
        "A model is one YAML document in UTF-8 without duplicate keys, merge keys or tags of its own. The limits on size, \
         depth and number of nodes keep a hostile file from eating the machine; the message names the flag that raises them."
    E102 "unknown key"
        "The format has no such field at this place. `gilsim help format` lists all fields."
    E103 "threads and processes together, or neither"
        "A model declares either `threads` (they live in one process called main) or `processes`. A process has either \
         `do` (one main thread) or `threads`."
    E104 "duration without unit"
        "A bare number can be read in two ways, so every duration carries its unit: ns, us, ms, s, min or h, as in `5ms`."
    E105 "value out of range"
        "Durations are whole nanoseconds from 0 to 1000 h. Switch intervals and quanta are above 0, `nice` is from -20 to \
         19, tickets from 1 on, affinity names cores that exist, there is one quantum for each queue, weights match their choices and do not sum to 0."
    E106 "Python version not quoted or not supported"
        "Without quotes YAML reads 3.10 as the number 3.1. Write `version: \"3.10\"`. Known are \"2.7\" and \"3.2\" to \"3.14\"."
    E107 "boolean is not true or false"
        "Only `true` and `false` are booleans here. The words yes, no, on and off mean different things to different \
         YAML readers."
    E108 "wrong type"
        "The value is of another kind than the field takes. The message says what was found and what is allowed."
    E109 "not a usable name"
        "A name begins with a letter and has at most 63 letters, digits, `_` and `-`; no dot, because dots separate the parts \
         of a path. Members of a group with a count are called name-1, name-2 and so on, and must not equal another name."
    E110 "not simulated yet"
        "The format knows this, but this version of gilsim does not simulate it and will not pretend to. `gilsim help format` \
         lists everything that is not simulated yet."
    E201 "unknown or doubled step verb"
        "A step is one verb with its value and the companions of that verb, as in `- io: 1ms` with `device: disk`. Two verbs \
         are two steps."
    E202 "a body is missing, or has no verb"
        "`repeat` and `with` need the steps they enclose under `do`; so do threads. Other steps have no `do`."
    E203 "name not declared"
        "The name is used but declared nowhere where it could be seen. The message lists the declared ones."
    E204 "release by a thread that does not hold the lock"
        "Python raises RuntimeError here. Found when it happens, with its time."
    E205 "acquire twice on a plain lock"
        "A plain lock does not know its owner: the thread waits for itself, for ever. An rlock may be acquired again."
    E206 "start or join that cannot work"
        "`start` starts members that have not been started, so a group can be started only as often as its count. Something \
         that runs must start it before it is joined, and nobody joins himself."
    E207 "an own interpreter shares no objects"
        "Interpreters with a GIL of their own (PEP 684) share no Python objects, so a lock of the process is not theirs."
    E208 "an object does not cross processes"
        "Every process has its own memory: the same name in two processes is two locks that know nothing of each other. \
         multiprocessing's objects cross processes; they are declared with `across: processes`."
    E209 "a parameter that the chosen variant does not have"
        "The chosen scheduler, Python version, build or kind of process does not have this parameter."
    E301 "endless model without run.until"
        "A thread that counts never ends, so the run needs a horizon: `run: {until: 1s}`. Daemon threads may be endless, \
         because they end with the last thread of their process that is not a daemon."
    E302 "endless loop that takes no time"
        "No step of the loop can take time, so simulated time would stand still for ever. Give it a step that takes time."
    E303 "event cap reached"
        "The run made more events than `run.max_events` allows. The message says at what simulated time and which threads spin."
    E304 "too large"
        "A limit protects against models that no machine can run. The message names the limit and, where there is one, the flag \
         that raises it."
    E401 "expectation does not parse"
        "The grammar is `[any|all|max|min|mean|total|p50|p95|p99] metric op value [within percent]`, `deadlock == true`, \
         `output contains \"text\"`, or `time of \"text\" op duration`."
    E402 "unknown metric or selector, or wrong unit"
        "`gilsim help metrics` lists the metrics. A selector is a name of the model, `prefix*` or `*`. Times are compared with \
         times, numbers with numbers."
    E403 "path does not exist"
        "A path names a field of the format or a declared name, with dots between the parts and list items by number from \
         0: `threads.worker.do.0.cpu`."
    W501 "declared but unused"
        "Nothing uses the declared name."
    W502 "CPU-bound threads share one GIL"
        "Threads that only compute take turns under one GIL: more of them, or more cores, do not make the work faster."
    W503 "random, but no seed written"
        "Random durations are drawn with seed 1. Write `run: {seed: 1}` to say so, or another seed."
    W504 "cannot be validated on this host as written"
        "The model needs more than this host has (cores, versions, builds)."
    W505 "step emulated by the real backend"
        "The real backend has no such action and imitates its duration."
    W506 "spawn without main guard"
        "A spawned child runs the module's top-level code again; without the guard it would start children itself."
    W507 "field without effect"
        "The chosen scheduler or declaration does not use this field."
}
