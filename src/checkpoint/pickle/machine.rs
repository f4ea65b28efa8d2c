//! The stack machine of pickles.

use std::collections::HashMap;
use std::rc::Rc;

use crate::checkpoint::error::Fault;
use crate::checkpoint::pickle::budget::Budget;
use crate::checkpoint::pickle::calls::{build, call};
use crate::checkpoint::pickle::heap::{Heap, Node, Value};
use crate::checkpoint::pickle::input::Input;
use crate::checkpoint::pickle::instruction::Instruction;
use crate::checkpoint::pickle::storages::Storages;
use crate::checkpoint::pickle::torch_calls::persistent;
use crate::checkpoint::stored_bytes::StoredBytes;

/// Strings of Python 2 up to this length are text if they are ASCII.
const LONGEST_NAME: u64 = 64;

/// Reads one pickle from the input, which is then behind it. Returns its value, in the heap.
pub(crate) fn run(
    input: &mut Input,
    heap: &mut Heap,
    storages: &mut dyn Storages,
    budget: &mut Budget,
) -> Result<Value, Fault> {
    let mut machine = Machine {
        heap,
        storages,
        budget,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    loop {
        machine.budget.steps(1)?;
        match Instruction::read(input, machine.budget)? {
            Instruction::Stop => return machine.pop(),
            instruction => machine.step(instruction)?,
        }
    }
}

struct Machine<'a> {
    heap: &'a mut Heap,
    storages: &'a mut dyn Storages,
    budget: &'a mut Budget,
    stack: Vec<Value>,
    /// The lengths of the stack at the marks.
    marks: Vec<usize>,
    memo: HashMap<u64, Value>,
}

impl Machine<'_> {
    fn step(&mut self, instruction: Instruction) -> Result<(), Fault> {
        match instruction {
            Instruction::Stop | Instruction::Nothing => {}
            Instruction::Mark => self.marks.push(self.stack.len()),
            Instruction::Pop => {
                if self.marks.last() == Some(&self.stack.len()) {
                    self.marks.pop();
                } else {
                    self.pop()?;
                }
            }
            Instruction::PopMark => {
                self.pop_mark()?;
            }
            Instruction::Append => {
                let element = self.pop()?;
                self.append(&[element])?;
            }
            Instruction::Appends => {
                let elements = self.pop_mark()?;
                self.append(&elements)?;
            }
            Instruction::SetItem => {
                let value = self.pop()?;
                let key = self.pop()?;
                let dict = self.top()?;
                self.insert(dict, &[key, value])?;
            }
            Instruction::SetItems => {
                let entries = self.pop_mark()?;
                let dict = self.top()?;
                self.insert(dict, &entries)?;
            }
            Instruction::Put(number) => {
                let value = self.top()?;
                self.memo.insert(number, value);
            }
            Instruction::Memoize => {
                let value = self.top()?;
                self.memo.insert(self.memo.len() as u64, value);
            }
            instruction => {
                let value = self.value(instruction)?;
                self.stack.push(value);
            }
        }
        Ok(())
    }

    /// The value that an instruction puts on the stack.
    fn value(&mut self, instruction: Instruction) -> Result<Value, Fault> {
        Ok(match instruction {
            Instruction::None => Value::None,
            Instruction::Bool(value) => Value::Bool(value),
            Instruction::Integer(value) => Value::Integer(value),
            Instruction::Float(value) => Value::Float(value),
            Instruction::LongInteger(digits) => {
                let digits = self.heap.add(Node::Bytes(digits));
                self.heap.record("builtins.int".into(), digits)
            }
            Instruction::Text(text) => self.heap.add(Node::Text(text.into())),
            Instruction::Bytes(bytes) => self.heap.add(Node::Bytes(bytes)),
            Instruction::ByteString(bytes) => self.byte_string(bytes)?,
            Instruction::EmptyList | Instruction::EmptyTuple => self.heap.add(Node::List(Vec::new())),
            Instruction::EmptyDict => self.heap.add(Node::Dict(Vec::new())),
            Instruction::ListFromMark => {
                let elements = self.pop_mark()?;
                self.heap.add(Node::List(elements))
            }
            Instruction::Tuple(len) => {
                let mut elements = vec![Value::None; len];
                for element in elements.iter_mut().rev() {
                    *element = self.pop()?;
                }
                self.heap.add(Node::List(elements))
            }
            Instruction::DictFromMark => {
                let entries = self.pop_mark()?;
                let dict = self.heap.add(Node::Dict(Vec::new()));
                self.insert(dict, &entries)?;
                dict
            }
            Instruction::Duplicate => self.top()?,
            Instruction::Get(number) => *self.memo.get(&number).ok_or_else(|| {
                Fault::malformed(
                    format!("a reference to object {number} in a pickle"),
                    "an object that was stored before",
                )
            })?,
            called => self.called(called)?,
        })
    }

    /// The instructions that would import or call something.
    fn called(&mut self, instruction: Instruction) -> Result<Value, Fault> {
        match instruction {
            Instruction::Global(module, name) => self.global(&module, &name),
            Instruction::StackGlobal => {
                let name = self.pop()?;
                let module = self.pop()?;
                let texts = self.heap.text(module).zip(self.heap.text(name));
                let (module, name) = texts
                    .map(|(module, name)| (Rc::clone(module), Rc::clone(name)))
                    .ok_or_else(|| Fault::malformed("a class without a name in a pickle", "two texts"))?;
                self.budget.text((module.len() + name.len()) as u64)?;
                self.global(&module, &name)
            }
            Instruction::Extension(code) => Ok(self
                .heap
                .add(Node::Global(format!("copyreg.extension {code}").into()))),
            Instruction::Reduce | Instruction::NewObj => {
                let arguments = self.pop()?;
                let callee = self.pop()?;
                self.call(callee, arguments)
            }
            Instruction::NewObjWithKeywords => {
                let keywords = self.pop()?;
                let arguments = self.pop()?;
                let callee = self.pop()?;
                let arguments = self.heap.add(Node::List(vec![arguments, keywords]));
                let class = self.heap.name(callee);
                Ok(self.heap.record(class, arguments))
            }
            Instruction::Inst(module, name) => {
                let arguments = self.pop_mark()?;
                let callee = self.global(&module, &name)?;
                let arguments = self.heap.add(Node::List(arguments));
                self.call(callee, arguments)
            }
            Instruction::Obj => {
                let mut arguments = self.pop_mark()?;
                if arguments.is_empty() {
                    return Err(Fault::malformed("an instance of nothing in a pickle", "a class"));
                }
                let callee = arguments.remove(0);
                let arguments = self.heap.add(Node::List(arguments));
                self.call(callee, arguments)
            }
            Instruction::Build => {
                let state = self.pop()?;
                let built = self.pop()?;
                build(self.heap, self.storages, self.budget, built, state)?;
                Ok(built)
            }
            Instruction::PersistentId(id) => {
                let id = self.heap.add(Node::Text(id.into()));
                persistent(self.heap, self.storages, id)
            }
            Instruction::BinaryPersistentId => {
                let id = self.pop()?;
                persistent(self.heap, self.storages, id)
            }
            other => unreachable!("{other:?} calls nothing"),
        }
    }

    fn call(&mut self, callee: Value, arguments: Value) -> Result<Value, Fault> {
        call(self.heap, self.storages, self.budget, callee, arguments)
    }

    /// A class or a function, under the name that it has today.
    #[expect(clippy::unnecessary_wraps, reason = "the other instructions can fail")]
    fn global(&mut self, module: &str, name: &str) -> Result<Value, Fault> {
        let module = match module {
            "__builtin__" => "builtins",
            "copy_reg" => "copyreg",
            _ => module,
        };
        // NumPy 2 renamed `numpy.core`.
        let name = match module.strip_prefix("numpy._core") {
            Some(rest) => format!("numpy.core{rest}.{name}"),
            None => format!("{module}.{name}"),
        };
        Ok(self.heap.add(Node::Global(name.into())))
    }

    /// A string of Python 2, which is text or bytes.
    fn byte_string(&mut self, bytes: StoredBytes) -> Result<Value, Fault> {
        if bytes.len() <= LONGEST_NAME {
            let text = String::from_utf8(bytes.read()?)
                .ok()
                .filter(|text| text.is_ascii());
            if let Some(text) = text {
                return Ok(self.heap.add(Node::Text(text.into())));
            }
        }
        Ok(self.heap.add(Node::Bytes(bytes)))
    }

    fn append(&mut self, added: &[Value]) -> Result<(), Fault> {
        let list = self.top()?;
        match self.heap.get_mut(list) {
            Some(Node::List(elements)) => elements.extend_from_slice(added),
            Some(Node::Record(record)) => record.elements.extend_from_slice(added),
            _ => {
                return Err(Fault::malformed(
                    "an element without a list in a pickle",
                    "a list",
                ));
            }
        }
        Ok(())
    }

    /// Adds keys and values, by turns, to a dictionary.
    fn insert(&mut self, dict: Value, added: &[Value]) -> Result<(), Fault> {
        let (added, []) = added.as_chunks() else {
            return Err(Fault::malformed("a key without a value in a pickle", "pairs"));
        };
        let added = added.iter().map(|&[key, value]| (key, value));
        match self.heap.get_mut(dict) {
            Some(Node::Dict(entries)) => entries.extend(added),
            Some(Node::Record(record)) => record.entries.extend(added),
            _ => {
                return Err(Fault::malformed(
                    "a key without a dictionary in a pickle",
                    "a dictionary",
                ));
            }
        }
        Ok(())
    }

    fn pop(&mut self) -> Result<Value, Fault> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    fn top(&self) -> Result<Value, Fault> {
        let above = self.stack.get(self.marks.last().copied().unwrap_or(0)..);
        let top = above.and_then(<[Value]>::last).copied();
        top.ok_or_else(|| Fault::malformed("an empty stack in a pickle", "a value"))
    }

    /// The values above the last mark.
    fn pop_mark(&mut self) -> Result<Vec<Value>, Fault> {
        let mark = self.marks.pop();
        let mark = mark.ok_or_else(|| Fault::malformed("no mark in a pickle", "a mark"))?;
        Ok(self.stack.split_off(mark))
    }
}
