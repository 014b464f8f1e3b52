;; The inner loops of qpress: the QuickLZ 1.5.0 level 1 decoder and Adler-32 (format.md, section 3), called from quicklz.ts.
;;
;; In WebAssembly because it reads and writes eight bytes at any alignment and calculates in plain 32-bit integers: it is
;; 1.7 times as fast as the same loop in JavaScript. Nothing in it can touch memory other than its own.
;;
;; Memory: bytes 0-16383 hold the table of 4,096 positions; where the body and the output lie the caller says. After both
;; there must be 8 bytes that may be read and written.
(module
  (memory (export "memory") 4)

  ;; body, bodyEnd: the items; target, size: room for the output.
  ;; base: what is added to positions in the table; entries below it are left from earlier blocks.
  ;; Returns 0, or the number of what is wrong (see quicklz.ts).
  (func (export "decode") (param $s i32) (param $bodyEnd i32) (param $target i32) (param $size i32) (param $base i32)
    (result i32)
    (local $d i32)           ;; where the next byte goes
    (local $end i32)         ;; of the output
    (local $tailAt i32)      ;; from here on a literal is followed by literals only
    (local $next i32)        ;; the next position that may enter the table
    (local $control i32)     ;; control bits that are left, and above them the end mark
    (local $bias i32) (local $item i32) (local $length i32) (local $from i32) (local $stop i32) (local $i i32)
    (local $x i32)
    (local.set $d (local.get $target))
    (local.set $next (local.get $target))
    (local.set $end (i32.add (local.get $target) (local.get $size)))
    (local.set $tailAt (i32.sub (local.get $end) (i32.const 11)))
    (local.set $bias (i32.sub (local.get $base) (local.get $target)))
    (local.set $control (i32.const 1))
    (block $tail
      (loop $items
        (br_if $tail (i32.ge_s (local.get $d) (local.get $end)))
        (if (i32.eq (local.get $control) (i32.const 1))
          (then
            (if (i32.gt_s (i32.add (local.get $s) (i32.const 4)) (local.get $bodyEnd)) (then (return (i32.const 1))))
            (local.set $control (i32.load align=1 (local.get $s)))
            (local.set $s (i32.add (local.get $s) (i32.const 4)))
            (if (i32.eqz (local.get $control))
              (then
                (if (i32.lt_s (local.get $d) (local.get $tailAt)) (then (return (i32.const 2))))
                (local.set $control (i32.const 0x80000000))))
            (br_if $items (i32.eq (local.get $control) (i32.const 1)))))
        (if (i32.and (local.get $control) (i32.const 1))
          (then
            ;; A match: 4 bits of length, 12 of hash, and where the former are 0 another byte with the length.
            (local.set $control (i32.shr_u (local.get $control) (i32.const 1)))
            (local.set $item (i32.load align=1 (local.get $s)))
            (local.set $length (i32.and (local.get $item) (i32.const 15)))
            (if (local.get $length)
              (then
                (local.set $length (i32.add (local.get $length) (i32.const 2)))
                (local.set $s (i32.add (local.get $s) (i32.const 2))))
              (else
                (local.set $length (i32.and (i32.shr_u (local.get $item) (i32.const 16)) (i32.const 255)))
                (local.set $s (i32.add (local.get $s) (i32.const 3)))))
            (if (i32.gt_s (local.get $s) (local.get $bodyEnd)) (then (return (i32.const 3))))
            (if (i32.lt_u (local.get $length) (i32.const 3)) (then (return (i32.const 4))))
            (local.set $from
              (i32.sub
                (i32.load (i32.shl (i32.and (i32.shr_u (local.get $item) (i32.const 4)) (i32.const 4095)) (i32.const 2)))
                (local.get $bias)))
            (if (i32.lt_s (local.get $from) (local.get $target)) (then (return (i32.const 5))))
            (local.set $stop (i32.add (local.get $d) (local.get $length)))
            (if (i32.gt_s (local.get $stop) (local.get $end)) (then (return (i32.const 6))))
            (local.set $i (local.get $d))
            (if (i32.ge_s (i32.sub (local.get $d) (local.get $from)) (i32.const 8))
              (then
                (loop $eight
                  (i64.store align=1 (local.get $i) (i64.load align=1 (local.get $from)))
                  (local.set $i (i32.add (local.get $i) (i32.const 8)))
                  (local.set $from (i32.add (local.get $from) (i32.const 8)))
                  (br_if $eight (i32.lt_s (local.get $i) (local.get $stop)))))
              (else
                ;; Source and target overlap: each byte must be there before it is copied on.
                (loop $one
                  (i32.store8 (local.get $i) (i32.load8_u (local.get $from)))
                  (local.set $i (i32.add (local.get $i) (i32.const 1)))
                  (local.set $from (i32.add (local.get $from) (i32.const 1)))
                  (br_if $one (i32.lt_s (local.get $i) (local.get $stop))))))
            ;; The two positions before the match could not enter before its first bytes were known; of those that it
            ;; covers only the first one enters.
            (loop $enter
              ;; into the table under the hash of its three bytes, ((x >> 12) ^ x) & 4095
              (local.set $x (i32.load align=1 (local.get $next)))
              (i32.store
                (i32.shl
                  (i32.and (i32.xor (i32.shr_u (local.get $x) (i32.const 12)) (local.get $x)) (i32.const 4095))
                  (i32.const 2))
                (i32.add (local.get $next) (local.get $bias)))
              (local.set $next (i32.add (local.get $next) (i32.const 1)))
              (br_if $enter (i32.le_s (local.get $next) (local.get $d))))
            (local.set $d (local.get $stop))
            (local.set $next (local.get $stop))
            (br $items))
          (else
            (br_if $tail (i32.ge_s (local.get $d) (local.get $tailAt)))
            ;; Literals: as many at once as there are zero bits up to the next match or the end mark.
            (local.set $length (i32.ctz (local.get $control)))
            (if (i32.gt_s (local.get $length) (i32.sub (local.get $tailAt) (local.get $d)))
              (then (local.set $length (i32.sub (local.get $tailAt) (local.get $d)))))
            (if (i32.gt_s (i32.add (local.get $s) (local.get $length)) (local.get $bodyEnd))
              (then (return (i32.const 7))))
            (local.set $control (i32.shr_u (local.get $control) (local.get $length)))
            (local.set $i (i32.const 0))
            (loop $eight
              (i64.store align=1
                (i32.add (local.get $d) (local.get $i))
                (i64.load align=1 (i32.add (local.get $s) (local.get $i))))
              (local.set $i (i32.add (local.get $i) (i32.const 8)))
              (br_if $eight (i32.lt_s (local.get $i) (local.get $length))))
            (local.set $s (i32.add (local.get $s) (local.get $length)))
            (local.set $d (i32.add (local.get $d) (local.get $length)))
            (block $entered
              (loop $enter
                (br_if $entered (i32.ge_s (local.get $next) (i32.sub (local.get $d) (i32.const 2))))
                ;; into the table under the hash of its three bytes, ((x >> 12) ^ x) & 4095
                (local.set $x (i32.load align=1 (local.get $next)))
                (i32.store
                  (i32.shl
                    (i32.and (i32.xor (i32.shr_u (local.get $x) (i32.const 12)) (local.get $x)) (i32.const 4095))
                    (i32.const 2))
                  (i32.add (local.get $next) (local.get $bias)))
                (local.set $next (i32.add (local.get $next) (i32.const 1)))
                (br $enter)))
            (br $items)))))
    ;; The tail: literals only, which still use up control bits; a word read here serves 31 whatever it holds.
    (block $done
      (loop $literals
        (br_if $done (i32.ge_s (local.get $d) (local.get $end)))
        (if (i32.eq (local.get $control) (i32.const 1))
          (then
            (local.set $s (i32.add (local.get $s) (i32.const 4)))
            (local.set $control (i32.const 0x80000000))))
        (if (i32.ge_s (local.get $s) (local.get $bodyEnd)) (then (return (i32.const 7))))
        (i32.store8 (local.get $d) (i32.load8_u (local.get $s)))
        (local.set $d (i32.add (local.get $d) (i32.const 1)))
        (local.set $s (i32.add (local.get $s) (i32.const 1)))
        (local.set $control (i32.shr_u (local.get $control) (i32.const 1)))
        (br $literals)))
    (i32.const 0))

  ;; Adler-32 (RFC 1950) of the bytes from $at to $end, starting at 1.
  ;;
  ;; Sixteen bytes at a time: $sums holds the sums of bytes, $earlier what they were before each sixteen, $weighted the
  ;; bytes times their distance from the end of their sixteen. Reduced before the 32-bit sums can overflow.
  (func (export "adler32") (param $at i32) (param $end i32) (result i32)
    (local $a i32) (local $b i32) (local $stop i32) (local $bytes i32)
    (local $sums v128) (local $earlier v128) (local $weighted v128) (local $x v128)
    (local.set $a (i32.const 1))
    (loop $runs
      (local.set $bytes (i32.and (i32.sub (local.get $end) (local.get $at)) (i32.const -16)))
      (if (i32.gt_u (local.get $bytes) (i32.const 5536)) (then (local.set $bytes (i32.const 5536))))
      (if (local.get $bytes)
        (then
          (local.set $stop (i32.add (local.get $at) (local.get $bytes)))
          (local.set $sums (v128.const i32x4 0 0 0 0))
          (local.set $earlier (v128.const i32x4 0 0 0 0))
          (local.set $weighted (v128.const i32x4 0 0 0 0))
          (loop $sixteen
            (local.set $x (v128.load align=1 (local.get $at)))
            (local.set $earlier (i32x4.add (local.get $earlier) (local.get $sums)))
            (local.set $sums
              (i32x4.add
                (local.get $sums)
                (i32x4.extadd_pairwise_i16x8_u (i16x8.extadd_pairwise_i8x16_u (local.get $x)))))
            (local.set $weighted
              (i32x4.add
                (local.get $weighted)
                (i32x4.add
                  (i32x4.dot_i16x8_s
                    (i16x8.extend_low_i8x16_u (local.get $x))
                    (v128.const i16x8 16 15 14 13 12 11 10 9))
                  (i32x4.dot_i16x8_s
                    (i16x8.extend_high_i8x16_u (local.get $x))
                    (v128.const i16x8 8 7 6 5 4 3 2 1)))))
            (local.set $at (i32.add (local.get $at) (i32.const 16)))
            (br_if $sixteen (i32.lt_u (local.get $at) (local.get $stop))))
          (local.set $weighted
            (i32x4.add (local.get $weighted) (i32x4.shl (local.get $earlier) (i32.const 4))))
          (local.set $b
            (i32.rem_u
              (i32.add
                (i32.add (local.get $b) (i32.mul (local.get $bytes) (local.get $a)))
                (i32.add
                  (i32.add (i32x4.extract_lane 0 (local.get $weighted)) (i32x4.extract_lane 1 (local.get $weighted)))
                  (i32.add (i32x4.extract_lane 2 (local.get $weighted)) (i32x4.extract_lane 3 (local.get $weighted)))))
              (i32.const 65521)))
          (local.set $a
            (i32.rem_u
              (i32.add
                (local.get $a)
                (i32.add
                  (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
                  (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums)))))
              (i32.const 65521)))
          (br $runs))))
    (loop $bytes
      (if (i32.lt_u (local.get $at) (local.get $end))
        (then
          (local.set $a (i32.add (local.get $a) (i32.load8_u (local.get $at))))
          (local.set $b (i32.add (local.get $b) (local.get $a)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $bytes))))
    (i32.or
      (i32.shl (i32.rem_u (local.get $b) (i32.const 65521)) (i32.const 16))
      (i32.rem_u (local.get $a) (i32.const 65521)))))
