//! Debug, Print, SetDebugLevel, GetStackTrace.

use protocol::logger::{
    DebugRequest, DebugResponse, GetStackTraceRequest, GetStackTraceResponse, PrintRequest, PrintResponse,
    SetDebugLevelRequest, SetDebugLevelResponse,
};
use srpc::{Call, MethodError, RequestReply};

use super::check_name;
use crate::logs::{Logs, stack_dump};

/// Logs at a debug level.
pub(super) struct Debug(pub(super) Logs);

impl RequestReply for Debug {
    const NAME: &'static str = "Debug";
    type Request = DebugRequest;
    type Reply = DebugResponse;

    async fn call(&self, _: &Call, request: DebugRequest) -> Result<DebugResponse, MethodError> {
        check_name(&request.name)?;
        let DebugRequest { args, level, .. } = request;
        self.0.write(
            level.into(),
            &format!("Logger.Debug({level}): {}", args.join(" ")),
        );
        Ok(DebugResponse {})
    }
}

/// Logs.
pub(super) struct Print(pub(super) Logs);

impl RequestReply for Print {
    const NAME: &'static str = "Print";
    type Request = PrintRequest;
    type Reply = PrintResponse;

    async fn call(&self, _: &Call, request: PrintRequest) -> Result<PrintResponse, MethodError> {
        check_name(&request.name)?;
        self.0
            .print(&format!("Logger.Print(): {}", request.args.join(" ")));
        Ok(PrintResponse {})
    }
}

/// Sets the highest debug level that is kept.
pub(super) struct SetDebugLevel(pub(super) Logs);

impl RequestReply for SetDebugLevel {
    const NAME: &'static str = "SetDebugLevel";
    type Request = SetDebugLevelRequest;
    type Reply = SetDebugLevelResponse;

    async fn call(
        &self,
        _: &Call,
        request: SetDebugLevelRequest,
    ) -> Result<SetDebugLevelResponse, MethodError> {
        check_name(&request.name)?;
        self.0.print(&format!("Logger.SetDebugLevel({})", request.level));
        self.0.set_level(request.level);
        Ok(SetDebugLevelResponse {})
    }
}

/// Tells what the process is doing.
pub(super) struct GetStackTrace;

impl RequestReply for GetStackTrace {
    const NAME: &'static str = "GetStackTrace";
    type Request = GetStackTraceRequest;
    type Reply = GetStackTraceResponse;

    async fn call(&self, _: &Call, _: GetStackTraceRequest) -> Result<GetStackTraceResponse, MethodError> {
        // Symbols are looked up in the program's file, which takes a while.
        let text = tokio::task::spawn_blocking(stack_dump).await?;
        Ok(GetStackTraceResponse {
            data: text.into_bytes(),
        })
    }
}
