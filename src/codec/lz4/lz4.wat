;; The inner loops of LZ4 (lz4_Block_format.md) and of XXH32 (xxhash_spec.md), called from lz4-kernel.ts.
;;
;; In WebAssembly because it moves sixteen bytes at any alignment and calculates in plain 32-bit integers, and because what
;; comes out lies where it is hashed and written from. Nothing in it can touch memory other than its own.
;;
;; Memory: where block and output lie the caller says. After both there must be 32 bytes that may be read and written.
(module
  (memory (export "memory") 4)

  ;; Decodes a block: s to sEnd is the block, target to dEnd the room for what it decodes to, base to target what came out
  ;; before it and may be copied from.
  ;; Returns how many bytes came out, or the number of what is wrong, negative (see lz4-kernel.ts).
  (func (export "decode") (param $s i32) (param $sEnd i32) (param $target i32) (param $dEnd i32) (param $base i32)
    (result i32)
    (local $d i32)           ;; where the next byte goes
    (local $token i32) (local $length i32) (local $byte i32) (local $i i32) (local $from i32) (local $offset i32)
    (local.set $d (local.get $target))
    (loop $sequences
      (if (i32.ge_u (local.get $s) (local.get $sEnd)) (then (return (i32.const -1))))
      (local.set $token (i32.load8_u (local.get $s)))
      (local.set $s (i32.add (local.get $s) (i32.const 1)))

      ;; Literals: their number in the upper 4 bits, 15 means that more bytes add to it, up to the first that is not 255.
      (local.set $length (i32.shr_u (local.get $token) (i32.const 4)))
      (if (i32.eq (local.get $length) (i32.const 15))
        (then
          (loop $more
            (if (i32.ge_u (local.get $s) (local.get $sEnd)) (then (return (i32.const -2))))
            (local.set $byte (i32.load8_u (local.get $s)))
            (local.set $s (i32.add (local.get $s) (i32.const 1)))
            (local.set $length (i32.add (local.get $length) (local.get $byte)))
            (br_if $more (i32.eq (local.get $byte) (i32.const 255))))))
      (if (i32.gt_u (local.get $length) (i32.sub (local.get $sEnd) (local.get $s))) (then (return (i32.const -3))))
      (if (i32.gt_u (local.get $length) (i32.sub (local.get $dEnd) (local.get $d))) (then (return (i32.const -4))))
      (v128.store align=1 (local.get $d) (v128.load align=1 (local.get $s)))
      (if (i32.gt_u (local.get $length) (i32.const 16))
        (then
          (local.set $i (i32.const 16))
          (loop $sixteen
            (v128.store align=1
              (i32.add (local.get $d) (local.get $i))
              (v128.load align=1 (i32.add (local.get $s) (local.get $i))))
            (local.set $i (i32.add (local.get $i) (i32.const 16)))
            (br_if $sixteen (i32.lt_u (local.get $i) (local.get $length))))))
      (local.set $s (i32.add (local.get $s) (local.get $length)))
      (local.set $d (i32.add (local.get $d) (local.get $length)))
      ;; The last sequence has no match.
      (if (i32.eq (local.get $s) (local.get $sEnd))
        (then (return (i32.sub (local.get $d) (local.get $target)))))

      ;; A match: how far back it lies, and its length less 4 as above in the lower 4 bits.
      (if (i32.gt_u (i32.const 2) (i32.sub (local.get $sEnd) (local.get $s))) (then (return (i32.const -5))))
      (local.set $offset (i32.load16_u align=1 (local.get $s)))
      (local.set $s (i32.add (local.get $s) (i32.const 2)))
      ;; 0 wraps around to the largest number.
      (if (i32.ge_u (i32.sub (local.get $offset) (i32.const 1)) (i32.sub (local.get $d) (local.get $base)))
        (then (return (i32.const -6))))
      (local.set $length (i32.and (local.get $token) (i32.const 15)))
      (if (i32.eq (local.get $length) (i32.const 15))
        (then
          (loop $more
            (if (i32.ge_u (local.get $s) (local.get $sEnd)) (then (return (i32.const -2))))
            (local.set $byte (i32.load8_u (local.get $s)))
            (local.set $s (i32.add (local.get $s) (i32.const 1)))
            (local.set $length (i32.add (local.get $length) (local.get $byte)))
            (br_if $more (i32.eq (local.get $byte) (i32.const 255))))))
      (local.set $length (i32.add (local.get $length) (i32.const 4)))
      (if (i32.gt_u (local.get $length) (i32.sub (local.get $dEnd) (local.get $d))) (then (return (i32.const -4))))
      (local.set $from (i32.sub (local.get $d) (local.get $offset)))
      (if (i32.ge_u (local.get $offset) (i32.const 16))
        (then
          (v128.store align=1 (local.get $d) (v128.load align=1 (local.get $from)))
          (if (i32.gt_u (local.get $length) (i32.const 16))
            (then
              (local.set $i (i32.const 16))
              (loop $sixteen
                (v128.store align=1
                  (i32.add (local.get $d) (local.get $i))
                  (v128.load align=1 (i32.add (local.get $from) (local.get $i))))
                (local.set $i (i32.add (local.get $i) (i32.const 16)))
                (br_if $sixteen (i32.lt_u (local.get $i) (local.get $length)))))))
        (else
          ;; Source and target overlap: each byte must be there before it is copied on. The first sixteen go one by one,
          ;; then there is a multiple of the offset to copy from that is far enough behind.
          (local.set $i (i32.const 0))
          (loop $one
            (i32.store8
              (i32.add (local.get $d) (local.get $i))
              (i32.load8_u (i32.add (local.get $from) (local.get $i))))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $one (i32.lt_u (local.get $i) (i32.const 16))))
          (if (i32.gt_u (local.get $length) (i32.const 16))
            (then
              (local.set $from
                (i32.sub
                  (local.get $d)
                  (i32.mul
                    (local.get $offset)
                    (i32.div_u (i32.add (local.get $offset) (i32.const 15)) (local.get $offset)))))
              (loop $sixteen
                (v128.store align=1
                  (i32.add (local.get $d) (local.get $i))
                  (v128.load align=1 (i32.add (local.get $from) (local.get $i))))
                (local.set $i (i32.add (local.get $i) (i32.const 16)))
                (br_if $sixteen (i32.lt_u (local.get $i) (local.get $length))))))))
      (local.set $d (i32.add (local.get $d) (local.get $length)))
      (br $sequences))
    (unreachable))

  ;; XXH32 of whole stripes of 16 bytes, at to end; the four accumulators are kept at `state`.
  (func (export "stripes") (param $state i32) (param $at i32) (param $end i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32)
    (local.set $a (i32.load (local.get $state)))
    (local.set $b (i32.load offset=4 (local.get $state)))
    (local.set $c (i32.load offset=8 (local.get $state)))
    (local.set $d (i32.load offset=12 (local.get $state)))
    (loop $stripe
      (if (i32.lt_u (local.get $at) (local.get $end))
        (then
          (local.set $a (i32.mul (i32.rotl (i32.add (local.get $a)
            (i32.mul (i32.load align=1 (local.get $at)) (i32.const 0x85ebca77))) (i32.const 13)) (i32.const 0x9e3779b1)))
          (local.set $b (i32.mul (i32.rotl (i32.add (local.get $b)
            (i32.mul (i32.load offset=4 align=1 (local.get $at)) (i32.const 0x85ebca77))) (i32.const 13)) (i32.const 0x9e3779b1)))
          (local.set $c (i32.mul (i32.rotl (i32.add (local.get $c)
            (i32.mul (i32.load offset=8 align=1 (local.get $at)) (i32.const 0x85ebca77))) (i32.const 13)) (i32.const 0x9e3779b1)))
          (local.set $d (i32.mul (i32.rotl (i32.add (local.get $d)
            (i32.mul (i32.load offset=12 align=1 (local.get $at)) (i32.const 0x85ebca77))) (i32.const 13)) (i32.const 0x9e3779b1)))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br $stripe))))
    (i32.store (local.get $state) (local.get $a))
    (i32.store offset=4 (local.get $state) (local.get $b))
    (i32.store offset=8 (local.get $state) (local.get $c))
    (i32.store offset=12 (local.get $state) (local.get $d))))
